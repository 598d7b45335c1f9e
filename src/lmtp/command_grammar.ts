/** Command lines of LMTP, which are those of SMTP; pure. */

import { type Reply, reply } from "./reply.ts";

/** A line that is no command, or one with arguments that it cannot have. */
export class CommandFault extends Error {
  constructor(readonly reply: Reply) {
    super(String(reply.text));
    this.name = "CommandFault";
  }
}

/** A command line, cut at its first space. */
export interface CommandLine {
  /** In capitals. */
  readonly verb: string;
  readonly argument: string;
}

/** @throws {CommandFault} when it has control characters or is not UTF-8 */
export function commandLine(bytes: Uint8Array): CommandLine {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandFault(reply(500, "5.5.2", "Expected a line in UTF-8"));
  }
  if (/\p{Cc}/u.test(text)) {
    throw new CommandFault(reply(500, "5.5.2", "Expected a line without control characters"));
  }
  const [, verb = "", argument = ""] = /^([^ ]*) ?(.*)$/u.exec(text) ?? [];
  return { verb: verb.toUpperCase(), argument: argument.trim() };
}

/** Who the client says it is, as in LHLO; undefined if no host has such a name. */
export function clientName(argument: string): string | undefined {
  // Letters of any script for RFC 6531, colons and brackets for address literals.
  return /^[\p{L}\p{M}\p{N}._:[\]-]{1,255}$/u.test(argument) ? argument : undefined;
}

/** The path and the parameters of MAIL or RCPT. */
export interface Path {
  /** Without the angle brackets and without a source route; "" is the null sender. */
  readonly address: string;
  /** Parameters by their names in capitals; those without a value have "". */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Octets of a path. RFC 5321 §4.5.3.1.3 asks for 256 at least; who rewrites senders makes longer ones. */
const LONGEST_PATH = 1000;

/**
 *     path      = "<" [ A-d-l ":" ] Mailbox ">"
 *     Mailbox   = Local-part [ "@" ( Domain / address-literal ) ]
 *
 * A mailbox may come without a domain, since accounts may have names without one. What an MTA has
 * let in as a sender is taken, however odd it is, as long as it cannot be taken for something else.
 *
 * @param word "FROM" or "TO"
 * @throws {CommandFault}
 * @see RFC 5321 §4.1.2
 */
export function path(word: string, argument: string): Path {
  const wrong = new CommandFault(reply(501, "5.5.4", `Expected ${word}:<ADDRESS>`));
  const keyword = argument.slice(0, word.length + 1).toUpperCase();
  if (keyword !== `${word}:`) throw wrong;
  // RFC 5321 §3.3 forbids the space, many send it.
  const rest = argument.slice(word.length + 1).trimStart();
  const bracketed = /^<((?:"(?:[^"\\]|\\.)*"|[^"<> ])*)>(?: +(.*))?$/u.exec(rest);
  if (bracketed === null) throw wrong;
  const [, text, parameters = ""] = bracketed;
  const address = text.replace(/^@[^\s:"]+:/, "");
  if (new TextEncoder().encode(address).length > LONGEST_PATH) throw wrong;
  return { address, parameters: parametersOf(parameters) };
}

function parametersOf(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const word of text.split(/ +/).filter((each) => each !== "")) {
    const [, name, value = ""] = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^=]+))?$/u.exec(word) ?? [];
    if (name === undefined || parameters.has(name.toUpperCase())) {
      throw new CommandFault(
        reply(501, "5.5.4", "Expected parameters such as SIZE=1000, each once"),
      );
    }
    parameters.set(name.toUpperCase(), value);
  }
  return parameters;
}
