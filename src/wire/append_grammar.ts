/**
 * The arguments of APPEND and REPLACE: messages that come as literals or are put together of
 * parts. Mailbox names and URLs come as the client spelled them.
 */

import { type DateTime, dateTime } from "./date_grammar.ts";
import { flagList, type FlagSet, mailbox, seqNumber } from "./grammar.ts";
import type { NumberSet } from "./number_set.ts";
import type { Literal, Scanner } from "./scanner.ts";

/** How a literal of a message was sent. */
export interface TextForm {
  /** As a literal8, which may hold NUL. @see RFC 3516 §4.4 */
  readonly binary: boolean;
  /** As UTF8 data, for a message with UTF-8 in its header. @see RFC 6855 §4 */
  readonly utf8: boolean;
}

/** A piece of a message. */
export type MessagePart =
  | ({ readonly kind: "text"; readonly literal: Literal } & TextForm)
  /** What another message holds; `url` is a byte string. @see RFC 4469 §3 */
  | { readonly kind: "url"; readonly url: string };

/** What stands before a message. */
export interface AppendHead {
  readonly flags: FlagSet;
  readonly date?: DateTime;
}

/** One message of an APPEND. */
export interface AppendMessage extends AppendHead {
  /** In their order; one literal, unless it is put together. */
  readonly parts: readonly MessagePart[];
  /** Put together of parts (CATENATE). */
  readonly catenated: boolean;
}

/** APPEND @see RFC 9051 §6.3.12 */
export interface AppendArgs {
  readonly mailbox: string;
  /** At least one. */
  readonly messages: readonly AppendMessage[];
}

/** REPLACE @see RFC 8508 §4 */
export interface ReplaceArgs {
  /** One number, or "*". */
  readonly set: NumberSet;
  readonly mailbox: string;
  readonly message: AppendMessage;
}

/** A literal that the client announces next, with the messages that came before and its own. */
export interface AnnouncedText extends AppendArgs, TextForm {
  /** REPLACE: what the message takes the place of. */
  readonly replaces?: NumberSet;
}

/** What the text ends with where a literal is announced: part of a message, or an argument. */
type Announced = TextForm | "argument";

/**
 * append = "APPEND" SP mailbox 1*append-message
 *
 * append-message = [SP flag-list] [SP date-time] SP append-data
 *
 * @see RFC 3502 §6.3.11, RFC 4466 §2.6
 */
export function appendArgs(s: Scanner): AppendArgs {
  s.space();
  const name = mailbox(s);
  s.space();
  const messages: AppendMessage[] = [];
  do {
    if (readMessage(s, messages) !== undefined) throw s.fault("a literal");
  } while (s.spaceBeforeMore());
  s.end();
  return { mailbox: name, messages };
}

/**
 * replace = "REPLACE" SP seq-number SP mailbox append-message
 *
 * @see RFC 8508 §5
 */
export function replaceArgs(s: Scanner): ReplaceArgs {
  const set = replaced(s);
  const name = mailbox(s);
  s.space();
  const messages: AppendMessage[] = [];
  if (readMessage(s, messages) !== undefined) throw s.fault("a literal");
  s.end();
  return { set, mailbox: name, message: messages[0] };
}

/** SP seq-number SP */
function replaced(s: Scanner): NumberSet {
  s.space();
  const number = seqNumber(s);
  s.space();
  return { ranges: [[number, number]] };
}

/**
 * Reads an APPEND up to a literal that the client announces next.
 *
 * @returns undefined if that literal is an argument like any other, not of a message
 * @throws {SyntaxFault} if no literal may stand there
 */
export function appendPrefix(s: Scanner): AnnouncedText | undefined {
  s.space();
  return messagesPrefix(s);
}

/** The same for a REPLACE. */
export function replacePrefix(s: Scanner): AnnouncedText | undefined {
  const replaces = replaced(s);
  const announced = messagesPrefix(s);
  if (announced === undefined) return undefined;
  if (announced.messages.length > 1) throw s.fault("the end of the command");
  return { ...announced, replaces };
}

function messagesPrefix(s: Scanner): AnnouncedText | undefined {
  if (s.atEnd) return undefined;
  const name = mailbox(s);
  const messages: AppendMessage[] = [];
  for (;;) {
    s.space();
    const announced = readMessage(s, messages);
    if (announced === "argument") return undefined;
    if (announced !== undefined) return { mailbox: name, messages, ...announced };
  }
}

/** Adds a message, as far as it is there; the result says what its end announces. */
function readMessage(s: Scanner, messages: AppendMessage[]): Announced | undefined {
  const head = appendHead(s);
  const parts: MessagePart[] = [];
  const catenated = s.takeKeyword("CATENATE");
  messages.push({ ...head, parts, catenated });
  if (!catenated) return readText(s, parts);
  s.space();
  s.expect("(");
  do {
    const announced = readPart(s, parts);
    if (announced !== undefined) return announced;
  } while (s.take(" "));
  s.expect(")");
}

function appendHead(s: Scanner): AppendHead {
  const flags = s.peek() === "(" ? spaced(s, flagList) : { system: 0, keywords: [] };
  return s.peek() === '"' ? { flags, date: spaced(s, dateTime) } : { flags };
}

function spaced<T>(s: Scanner, item: (s: Scanner) => T): T {
  const value = item(s);
  s.space();
  return value;
}

/**
 * cat-part = "URL" SP astring / "TEXT" SP literal / utf8-literal
 *
 * @see RFC 4469 §5, RFC 6855 §4
 */
function readPart(s: Scanner, parts: MessagePart[]): Announced | undefined {
  if (s.takeKeyword("URL")) {
    s.space();
    if (s.atEnd) return "argument";
    const start = s.position;
    const url = s.astring("a URL");
    if (url === "") throw s.fault("a URL that is not empty", start);
    parts.push({ kind: "url", url });
    return undefined;
  }
  if (s.takeKeyword("TEXT")) s.space();
  else if (!/^UTF8 /i.test(s.text.slice(s.position, s.position + 5))) {
    throw s.fault("URL, TEXT or UTF8");
  }
  return readText(s, parts);
}

/**
 * append-data = literal / literal8 / utf8-literal
 *
 * utf8-literal = "UTF8" SP "(" literal8 ")"
 *
 * @see RFC 3516 §7, RFC 6855 §4
 */
function readText(s: Scanner, parts: MessagePart[]): TextForm | undefined {
  const utf8 = s.takeKeyword("UTF8");
  if (utf8) {
    s.space();
    s.expect("(");
  }
  const binary = s.take("~");
  if (utf8 && !binary) throw s.fault("a literal8");
  if (s.atEnd) return { binary, utf8 };
  parts.push({ kind: "text", literal: s.literal(), binary, utf8 });
  if (utf8) s.expect(")");
}
