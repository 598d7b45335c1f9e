/** Mailbox names as arguments of commands. */

import { StoreError } from "../store/store.ts";
import { isNewName, mailboxName, suppliedName } from "../wire/mailbox_name.ts";
import { Refusal } from "./command.ts";
import type { Session } from "./session.ts";

/** More octets than any name has, in any spelling; longer ones would take long to be normalized. */
const LONGEST_ARGUMENT = 8192;

/**
 * The mailbox that an argument names.
 *
 * @throws {Refusal} for a name that is too long, neither modified UTF-7 nor UTF-8, or has control
 * characters
 */
export function mailboxArgument(bytes: string, session: Session): string {
  if (bytes.length > LONGEST_ARGUMENT) {
    throw new Refusal(`Expected a mailbox name of at most ${LONGEST_ARGUMENT} octets`, "CANNOT");
  }
  const name = mailboxName(bytes, session.utf8);
  // deno-lint-ignore no-control-regex
  if (name === undefined || name === "" || /[\x00-\x1f\x7f]/.test(name)) {
    const wanted = session.utf8 ? "UTF-8" : "modified UTF-7";
    throw new Refusal(`Expected a mailbox name in ${wanted}`, "CANNOT");
  }
  return name;
}

/**
 * The name that an argument gives to a mailbox.
 *
 * @throws {Refusal} as {@link mailboxArgument}, and for what may not be made
 */
export function newMailboxArgument(bytes: string, session: Session): string {
  const name = mailboxArgument(bytes, session);
  if (!isNewName(name)) {
    throw new Refusal(
      "Expected a mailbox name without control characters, not INBOX/INBOX",
      "CANNOT",
    );
  }
  return name;
}

/**
 * The first of some arguments, to be told as OLDNAME to who enabled IMAP4rev2, if any of them was
 * not in normal form; else undefined.
 *
 * @see RFC 9051 §6.3.6, §6.3.9.7
 */
export function denormalized(session: Session, ...args: readonly string[]): string | undefined {
  if (
    !session.rev2 || args.every((bytes) => suppliedName(bytes, true) === mailboxName(bytes, true))
  ) {
    return undefined;
  }
  return suppliedName(args[0], true);
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
