/** Mends what an examination found, and never removes a message. */

import type { Log } from "../../log.ts";
import { mendAccess } from "./access_repairs.ts";
import { storeErrorOf } from "./disk_error.ts";
import type { LastingAccount } from "./lasting_account.ts";
import type { Finding, Mender, Problem } from "./problem.ts";
import { problemOf } from "./problem.ts";
import { mendIndex } from "./row_repairs.ts";
import { isSqliteError, sqliteRefusal } from "./sqlite_error.ts";

/** What a repair works with. */
export interface Repair {
  readonly root: string;
  readonly account: LastingAccount;
  readonly log: Log;
  readonly clock: () => number;
  examine(): Promise<readonly Finding[]>;
}

/** What is mended while the account is closed, since nobody may have it in memory. */
const CLOSED: ReadonlySet<Mender | undefined> = new Set<Mender>([
  "index",
  "rows",
  "changed",
  "uid-validity",
]);
/** Mending one thing may uncover another; and only so many files are named at a time. */
const ROUNDS = 20;

/**
 * Mends what can be mended.
 *
 * @returns what was mended, and then what is as it was
 * @throws {StoreError} `unavailable`, such as: another process has the account open
 */
export async function repairAccount(repair: Repair): Promise<readonly Problem[]> {
  const { root, log } = repair;
  const mended = new Map<string, Finding>();
  const closed = new Set<string>();
  let findings = await repair.examine();
  for (let round = 0; round < ROUNDS; round++) {
    const known = findings.filter((finding) =>
      finding.mender !== undefined && !closed.has(keyOf(finding))
    );
    // First, as what else is wrong can only be seen then.
    const access = known.filter(({ mender }) => mender === "access");
    const before = access.length > 0 ? access : known;
    if (before.length === 0) break;
    if (access.length > 0) mendAccess(root, access, log);
    else await mend(repair, before);
    findings = await repair.examine();
    const left = new Set(findings.map(keyOf));
    const done = before.filter((finding) => !left.has(keyOf(finding)));
    for (const finding of done) mended.set(keyOf(finding), finding);
    for (const finding of access) if (left.has(keyOf(finding))) closed.add(keyOf(finding));
    if (done.length === 0 && access.length === 0) break;
  }
  const told = Array.from(mended.values(), (finding): Problem => {
    const { advice: _, ...problem } = problemOf(finding);
    return { ...problem, level: "mended", text: `${finding.text}; ${finding.remedy}` };
  });
  return [...told, ...findings.map(problemOf)];
}

async function mend(
  { root, account, log, clock }: Repair,
  findings: readonly Finding[],
): Promise<void> {
  const opened = account.opened !== undefined;
  if (findings.some(({ mender }) => CLOSED.has(mender) || (mender === "search" && !opened))) {
    await account.whileClosed(() => mendIndex({ root, log, clock, findings }))
      .catch((error: unknown) => {
        throw isSqliteError(error)
          ? sqliteRefusal(error)
          : storeErrorOf(error, "mending the index");
      });
  }
  await account.withOpened((opened) => opened.mend(findings));
}

/** Two with the same key are one problem, as far as can be told. */
function keyOf({ code, mailbox, text }: Finding): string {
  return `${code} ${mailbox} ${text}`;
}
