import { StoreError } from "../store/store.ts";
import { mailboxName } from "../wire/mailbox_name.ts";
import { Refusal } from "./command.ts";
import type { Session } from "./session.ts";

/**
 * The mailbox that an argument names.
 *
 * @throws {Refusal} for a name that is neither modified UTF-7 nor UTF-8, or has control characters
 */
export function mailboxArgument(bytes: string, session: Session): string {
  const name = mailboxName(bytes, session.utf8);
  // deno-lint-ignore no-control-regex
  if (name === undefined || name === "" || /[\x00-\x1f\x7f]/.test(name)) {
    throw new Refusal("Expected a mailbox name in modified UTF-7", "CANNOT");
  }
  return name;
}

/** Runs `work`; a missing mailbox is answered with the hint to create it. @see RFC 9051 §6.3.12 */
export async function orTryCreate<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError && error.code === "no-mailbox") {
      throw new Refusal(error.message, "TRYCREATE");
    }
    throw error;
  }
}
