/** `imapd man`: prints the manual pages. */

import { type Arguments, type Command, EXIT, UsageError } from "./command.ts";
import { commandPage } from "./manual/command_page.ts";
import { configPage } from "./manual/config_page.ts";
import { print } from "./output.ts";

/** Prints the page of the section that is asked for, as source for man(1). */
export function man({ operands: [section = "1"] }: Arguments, commands: readonly Command[]) {
  print(pageOf(section, commands));
  return Promise.resolve(EXIT.ok);
}

function pageOf(section: string, commands: readonly Command[]): string {
  if (section === "1") return commandPage(commands);
  if (section === "5") return configPage();
  throw new UsageError(`Expected 1 (the commands) or 5 (the config), got ${section}`);
}
