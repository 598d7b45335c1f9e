/** URLs that name a message of this server, or a part of one. @see RFC 5092 */

import { type PartialRange, type Section, sectionSpec } from "./fetch_grammar.ts";
import { Scanner, SyntaxFault } from "./scanner.ts";
import { latin1 } from "./bytes.ts";

/** Whose server an absolute URL names. */
export interface ImapServer {
  /** In lower case, without its port. */
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
}

/** What a URL names. */
export interface ImapUrl {
  /** Absent: the server that is asked. */
  readonly server?: ImapServer;
  /** UTF-8; absent: the selected mailbox. */
  readonly mailbox?: string;
  readonly uidValidity?: number;
  readonly uid: number;
  /** Absent: the whole message. */
  readonly section?: Section;
  readonly partial?: PartialRange;
}

/**
 * bchar = achar / ":" / "@" / "/"; so neither ";" nor "?" stands in a name.
 *
 * imessagepart = enc-mailbox [uidvalidity] iuid [isection] [ipartial]
 */
const MESSAGE = new RegExp(
  "^(?:imap://(?<server>[^/?#]*)(?=/))?" +
    "(?<path>[^;?#]*)(?:;UIDVALIDITY=(?<validity>[1-9][0-9]{0,9})(?=/))?/?" +
    "(?<=^|/);UID=(?<uid>[1-9][0-9]{0,9})" +
    "(?:/;SECTION=(?<section>[^;?#]+?))?" +
    "(?:/;PARTIAL=(?<offset>[0-9]{1,10})(?:\\.(?<count>[1-9][0-9]{0,9}))?)?$",
  "i",
);

/** iserver = [iuserinfo "@"] host [":" port] */
const SERVER = /^(?:(?<user>[^@;]*)(?:;AUTH=[^@]*)?@)?(?<host>[^@:]+)(?::(?<port>[0-9]{1,5}))?$/i;

const LAST_NUMBER = 4294967295;

/**
 * Reads the URL of a message or of a part of one: absolute, by its absolute path, or relative to
 * the selected mailbox (`;UID=…`).
 *
 * @param bytes a byte string
 * @returns undefined if it is no such URL
 * @see RFC 5092 §11
 */
export function parseImapUrl(bytes: string): ImapUrl | undefined {
  if (/[^\x21-\x7e]/.test(bytes)) return undefined;
  const groups = MESSAGE.exec(bytes)?.groups;
  if (groups === undefined) return undefined;
  const server = groups.server === undefined ? undefined : parseServer(groups.server);
  const mailbox = mailboxOf(groups.path);
  const section = sectionOf(groups.section);
  const uid = Number(groups.uid);
  const uidValidity = groups.validity === undefined ? undefined : Number(groups.validity);
  const wrong = (groups.server !== undefined && server === undefined) || mailbox === undefined ||
    section === undefined || Math.max(uid, uidValidity ?? 0) > LAST_NUMBER ||
    // A UIDVALIDITY belongs to the name before it.
    (mailbox === "" && (server !== undefined || uidValidity !== undefined));
  if (wrong) return undefined;
  return {
    ...server && { server },
    ...mailbox !== "" && { mailbox },
    ...uidValidity !== undefined && { uidValidity },
    uid,
    ...section !== "whole" && { section },
    ...groups.offset !== undefined && { partial: partialOf(groups.offset, groups.count) },
  };
}

function parseServer(text: string): ImapServer | undefined {
  const groups = SERVER.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const user = groups.user ? decodePercent(groups.user) : undefined;
  if (groups.user && user === undefined) return undefined;
  return {
    host: groups.host.toLowerCase(),
    ...groups.port !== undefined && { port: Number(groups.port) },
    ...user !== undefined && { user },
  };
}

/** The name that an absolute path stands for; "" for none, undefined for a path that is not absolute. */
function mailboxOf(path: string): string | undefined {
  if (path === "") return "";
  const name = decodePercent(path.replace(/\/$/, ""));
  if (name === undefined || !/^\/./.test(name)) return undefined;
  return name.slice(1).toUpperCase() === "INBOX" ? "INBOX" : name.slice(1);
}

/** Percent-encoded UTF-8; undefined if it is not. */
function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The section of `/;SECTION=`, in which percent signs may stand for bytes. */
function sectionOf(encoded: string | undefined): Section | "whole" | undefined {
  if (encoded === undefined) return "whole";
  const text = decodePercent(encoded);
  if (text === undefined) return undefined;
  const scanner = new Scanner(latin1(new TextEncoder().encode(text)));
  try {
    const section = sectionSpec(scanner);
    return scanner.atEnd ? section : undefined;
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
}

/** partial-range = number ["." nz-number]; without a count, all that is left. @see RFC 5550 §4.6 */
function partialOf(offset: string, count: string | undefined): PartialRange {
  return { offset: Number(offset), count: count === undefined ? Infinity : Number(count) };
}
