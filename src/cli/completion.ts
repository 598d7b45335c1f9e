/** `imapd completion …`: what shells need to complete the command line. */

import { withAdmin } from "./admin.ts";
import { type Arguments, type Command, EXIT, optionalOption, UsageError } from "./command.ts";
import { bashScript } from "./completion/bash.ts";
import { fishScript } from "./completion/fish.ts";
import { zshScript } from "./completion/zsh.ts";
import { config, storage } from "./options.ts";
import { print } from "./output.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** @param commands the whole table, in which these rows stand */
export function completionCommands(commands: () => readonly Command[]): readonly Command[] {
  return [
    {
      name: "completion",
      operands: ["SHELL", "[ACCOUNT]"],
      summary: "Print what bash, zsh or fish loads to complete commands; needs no config.",
      options: { config, storage },
      run: (args) => completion(args, commands()),
    },
  ];
}

/** With `accounts` or `mailboxes ACCOUNT` in place of a shell, the names that scripts ask for. */
async function completion(args: Arguments, commands: readonly Command[]): Promise<number> {
  const [shell, account] = args.operands;
  if (shell === "accounts") return await names(args);
  if (shell === "mailboxes" && account !== undefined) return await names(args, account);
  if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
    throw new UsageError(`Expected bash, zsh or fish, got ${shell}`);
  }
  print(SCRIPTS[shell](commands));
  return EXIT.ok;
}

/** Whoever presses the tab key wants no error messages. */
async function names(args: Arguments, account?: string): Promise<number> {
  const params = { storage: optionalOption(args, "storage") };
  try {
    await withAdmin(args, async (admin) => {
      if (account === undefined) {
        for await (const row of admin.call("account names", params)) print(row.account);
      } else {
        for await (const row of admin.call("mailbox names", { ...params, account })) {
          print(row.name);
        }
      }
    });
    return EXIT.ok;
  } catch {
    return EXIT.failure;
  }
}
