/** Asks before something is gone for good. */

import { type Arguments, isOn, UsageError } from "./command.ts";
import { printError } from "./output.ts";

/**
 * Whether the user wants it: said by `-y`, or asked for on a terminal, where "no" is the default.
 *
 * @throws {UsageError} when there is no terminal to ask on
 */
export function confirm(args: Arguments, question: string): boolean {
  if (isOn(args, "yes")) return true;
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError(`${question} Expected -y to say yes, got no terminal to ask on`);
  }
  const answer = prompt(`${question} [y/N]`);
  if (/^y(es)?$/i.test(answer?.trim() ?? "")) return true;
  printError("Nothing was changed");
  return false;
}
