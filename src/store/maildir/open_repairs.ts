/** Mends what an open account mends by itself, if it is made to look. */

import { clearTimeout, setTimeout } from "node:timers";
import { dirname } from "node:path";
import { StoreError } from "../store.ts";
import type { MaildirAccount } from "./account.ts";
import { type AccountContext, assertWritable, folderPath } from "./account_context.ts";
import { baseOf } from "./file_name.ts";
import { hasLink } from "./links.ts";
import { listDirectory, lstat } from "./locating.ts";
import type { MailboxList } from "./mailbox_list.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { Finding } from "./problem.ts";
import { removeStaleFiles } from "./stale_files.ts";

/** Milliseconds that work in the background is waited for. */
const PATIENCE = 10_000;

/** Goes through all that was found. */
export async function mendOpen(
  context: AccountContext,
  account: MaildirAccount,
  list: MailboxList,
  findings: readonly Finding[],
): Promise<void> {
  assertWritable(context);
  const has = (mender: Finding["mender"]) => findings.some((each) => each.mender === mender);
  await account.scan(true);
  for (const state of [...list.states()]) {
    if (state.gone || hasLink(context, state)) continue;
    // As if it had never been compared.
    state.inNew.mtime = state.inCur.mtime = 0;
    state.unchangedUntil = 0;
    await account.status(state.name).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      context.log.warn("cannot mend a mailbox", { folder: state.folder, problem: error.message });
    });
    if (!state.gone) await removeDoubleNames(context, state, findings);
  }
  if (has("names")) await renameFiles(context, list, findings);
  if (has("stale")) await removeStaleFiles(context, list.states(), true);
  if (has("search")) await context.textIndex?.remake();
  await settled(context);
}

/** Gives files the names that their flags ask for. */
async function renameFiles(
  context: AccountContext,
  list: MailboxList,
  findings: readonly Finding[],
): Promise<void> {
  const { writer, messages, writeBack } = context;
  for (const state of [...list.states()]) {
    const uids = findings.filter(({ mender, mailboxId }) =>
      mender === "names" && mailboxId === state.id
    ).flatMap(({ uids }) => uids ?? []);
    if (uids.length === 0 || state.gone) continue;
    await writer.run(() => {
      for (const uid of uids) messages.addWriteBack(state.id, { first: uid, last: uid });
      return { result: undefined, apply: () => writeBack.soon(state) };
    });
  }
  await writeBack.flush();
}

/**
 * Of two names of one file in one mailbox, which a broken rename leaves, one goes; the message
 * stays under the other.
 */
async function removeDoubleNames(
  context: AccountContext,
  state: MailboxState,
  findings: readonly Finding[],
): Promise<void> {
  const folder = folderPath(context, state);
  const doubled = new Set(
    findings.filter(({ code, mailboxId }) => code === "file-doubled" && mailboxId === state.id)
      .flatMap(({ paths }) => paths ?? []).map((path) =>
        baseOf(path.slice(dirname(path).length + 1))
      ),
  );
  if (doubled.size === 0) return;
  const names = new Map<string, string[]>();
  for (const directory of ["cur", "new"]) {
    for (const file of (await listDirectory(`${folder}/${directory}`)).files) {
      const base = baseOf(file);
      if (!doubled.has(base)) continue;
      names.set(base, [...names.get(base) ?? [], `${folder}/${directory}/${file}`]);
    }
  }
  for (const [base, paths] of names) {
    const row = context.messages.fileByBase(state.id, base);
    const kept = row && `${folder}/${row.inNew ? "new" : "cur"}/${row.base}${row.info}`;
    for (const path of paths) {
      if (kept === undefined || path === kept) continue;
      const [a, b] = [lstat(kept), lstat(path)];
      if (!a?.isFile || !b?.isFile || a.ino !== b.ino || a.dev !== b.dev) continue;
      context.log.info("one file had two names; removed one", { kept, removed: path });
      Deno.removeSync(path);
    }
  }
}

/** Files of expunged messages go in the background. */
async function settled({ background }: AccountContext): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, PATIENCE));
  await Promise.race([background.idle(), late]);
  clearTimeout(timer);
}
