/** `imapd penalty …`: the failed logins that a running server remembers. */

import { only, withAdmin } from "./admin.ts";
import { ageOf } from "./amounts.ts";
import { type Arguments, EXIT, optionalOption } from "./command.ts";
import { print } from "./output.ts";
import { printRows } from "./table_output.ts";

/** `imapd penalty list` */
export async function penaltyList(args: Arguments): Promise<number> {
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("penalty list", {}), [
      { title: "OF", text: ({ kind }) => kind },
      { title: "NAME", text: ({ name }) => name },
      { title: "FAILURES", text: ({ failures }) => failures, right: true },
      { title: "LAST", text: ({ age }) => ageOf(age), right: true },
      { title: "PAUSE", text: ({ pause }) => `${pause / 1000}s`, right: true },
    ], "No failed logins are remembered");
  });
  return EXIT.ok;
}

/** `imapd penalty clear [--address IP] [--user NAME]` */
export async function penaltyClear(args: Arguments): Promise<number> {
  const [address, user] = ["address", "user"].map((name) => optionalOption(args, name));
  await withAdmin(args, async (admin) => {
    const { cleared } = await only(admin.call("penalty clear", { address, user }));
    print(`Cleared ${cleared} ${cleared === 1 ? "penalty" : "penalties"}`);
  });
  return EXIT.ok;
}
