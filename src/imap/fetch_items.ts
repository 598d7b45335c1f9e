/** The table of FETCH items: what each needs, and how it is spelled. */

import { Buffer } from "node:buffer";
import { bodyWithoutExtensions } from "../message/bodystructure.ts";
import { CACHED_FIELDS, headerFilter } from "../message/header.ts";
import type { CachedItems, StoredMessage } from "../store/store.ts";
import { utf8Bytes } from "../wire/bytes.ts";
import type { FetchItem, Section } from "../wire/fetch_grammar.ts";
import { dateTime, string } from "../wire/response.ts";
import { planBinary, planBinarySize } from "./binary_items.ts";
import { BrokenResponse, Disconnected, type Output } from "./command.ts";
import type { Pace } from "../pace.ts";
import { type FetchedMessage, openedOf, type PlannedItem, type Writing } from "./planned_item.ts";
import {
  clip,
  cut,
  filteredHeader,
  filteredOctets,
  isFiltered,
  isLongHeader,
  type OctetRange,
  readText,
  sectionRange,
} from "./sections.ts";

interface FetchRow<Item> {
  readonly rfc: string;
  readonly capability?: string | readonly string[];
  readonly plan: (item: Item) => PlannedItem;
}

type ItemNamed<Name> = Extract<FetchItem, { readonly name: Name }>;

/** An item that the columns alone answer. */
function column(text: (message: FetchedMessage) => string, prepared = false): () => PlannedItem {
  return () => ({ cached: [], prepared, opened: false, marksSeen: false, text });
}

/** An item that is kept as it goes over the wire. */
function kept(key: "envelope" | "bodystructure", label: string): () => PlannedItem {
  return () => lasting(label, key, (cached) => `${label} ${cached[key] ?? "NIL"}`);
}

/** An item that is the same as long as its message is there. */
function lasting(
  name: string,
  key: keyof CachedItems,
  textOf: (cached: Partial<CachedItems>) => string,
): PlannedItem {
  const cached = [key];
  return {
    cached,
    prepared: true,
    opened: false,
    marksSeen: false,
    lasting: { key: name, cached, textOf },
  };
}

/** An item that one cached item answers. */
function of(
  key: keyof CachedItems,
  prepared: boolean,
  text: (cached: Partial<CachedItems>) => string,
): PlannedItem {
  return {
    cached: [key],
    prepared,
    opened: false,
    marksSeen: false,
    text: ({ cached }) => text(cached),
  };
}

type FetchTable = { readonly [Name in FetchItem["name"]]: FetchRow<ItemNamed<Name>> };

/** @see RFC 9051 §6.4.5 */
export const FETCH_ITEMS: FetchTable = {
  UID: { rfc: "RFC 9051 §6.4.5", plan: column(({ uid }) => `UID ${uid}`) },
  FLAGS: {
    rfc: "RFC 9051 §6.4.5",
    plan: column(({ view, index, uid }) => `FLAGS (${view.flagsAt(index, uid)})`),
  },
  INTERNALDATE: {
    rfc: "RFC 9051 §6.4.5",
    plan: column(({ view: { mailbox: { messages } }, index }) =>
      `INTERNALDATE ${dateTime(messages.dates[index], messages.zones[index])}`
    ),
  },
  "RFC822.SIZE": {
    rfc: "RFC 9051 §6.4.5",
    plan: column(({ view, index }) => `RFC822.SIZE ${view.mailbox.messages.sizes[index]}`, true),
  },
  MODSEQ: {
    rfc: "RFC 7162 §3.1.4.2",
    capability: "CONDSTORE",
    plan: column(({ view, index }) => `MODSEQ (${view.mailbox.messages.modseqs[index]})`),
  },
  ENVELOPE: { rfc: "RFC 9051 §6.4.5", plan: kept("envelope", "ENVELOPE") },
  BODYSTRUCTURE: { rfc: "RFC 9051 §6.4.5", plan: kept("bodystructure", "BODYSTRUCTURE") },
  BODY: {
    rfc: "RFC 9051 §6.4.5",
    plan: () =>
      lasting(
        "BODY",
        "bodystructure",
        ({ bodystructure = "NIL" }) => `BODY ${bodyWithoutExtensions(bodystructure)}`,
      ),
  },
  EMAILID: {
    rfc: "RFC 8474 §5.1",
    capability: "OBJECTID",
    plan: () => of("emailId", true, ({ emailId = "" }) => `EMAILID (${emailId})`),
  },
  THREADID: {
    rfc: "RFC 8474 §5.2",
    capability: "OBJECTID",
    plan: () => of("threadId", true, ({ threadId = "" }) => `THREADID (${threadId})`),
  },
  // In UTC, as the names of files have it.
  SAVEDATE: {
    rfc: "RFC 8514 §4.2",
    capability: "SAVEDATE",
    plan: () => of("saved", false, ({ saved = 0 }) => `SAVEDATE ${dateTime(saved, 0)}`),
  },
  PREVIEW: {
    rfc: "RFC 8970 §3",
    capability: "PREVIEW",
    plan: ({ lazy }) =>
      of(
        "preview",
        !lazy,
        ({ preview }) =>
          `PREVIEW ${preview == null && lazy ? "NIL" : string(utf8Bytes(preview ?? ""))}`,
      ),
  },
  "BODY[]": { rfc: "RFC 9051 §6.4.5", plan: planSection },
  BINARY: { rfc: "RFC 3516 §4.2", capability: "BINARY", plan: planBinary },
  "BINARY.SIZE": { rfc: "RFC 3516 §4.2", capability: "BINARY", plan: planBinarySize },
};

/** What one FETCH item needs and how it is written. */
export function planItem(item: FetchItem): PlannedItem {
  // The row of an item's name takes items of that name; TypeScript cannot see the pairing.
  const row = FETCH_ITEMS[item.name] as FetchRow<FetchItem>;
  return row.plan(item);
}

function planSection(item: ItemNamed<"BODY[]">): PlannedItem {
  const { section, partial, label } = item;
  const marksSeen = !item.peek;
  if (isKeptHeader(section)) {
    const select = headerFilter(section.fields, false);
    const name = `${label} ${partial?.count ?? ""}`;
    const textOf = ({ header = "" }) => `${label} ${literal(cut(select(header), partial))}`;
    return { ...lasting(name, "header", textOf), marksSeen };
  }
  if (isBrief(item)) {
    const brief = {
      key: `${label} ${partial?.count ?? ""}`,
      textOf: (message: FetchedMessage) => sectionText(message, item),
      long: (message: FetchedMessage, pace: Pace) => longHeader(message, item, pace),
    };
    return { cached: ["parts"], prepared: true, opened: true, marksSeen, brief };
  }
  const whole = section.part.length === 0 && section.text === "";
  return {
    cached: whole ? [] : ["parts"],
    prepared: true,
    opened: true,
    marksSeen,
    write: (message) => sectionWriting(message, item),
  };
}

/** Header fields that are kept need no look into the message. */
function isKeptHeader({ part, text, fields }: Section): boolean {
  return part.length === 0 && text === "HEADER.FIELDS" &&
    fields.every((field) => CACHED_FIELDS.has(field.toLowerCase()));
}

/** Octets of a section that is worth keeping. */
const BRIEF = 1024;

function isBrief({ section, partial }: ItemNamed<"BODY[]">): boolean {
  return isFiltered(section) || (partial !== undefined && partial.count <= BRIEF);
}

async function sectionText(
  message: FetchedMessage,
  { section, partial, label }: ItemNamed<"BODY[]">,
): Promise<string | undefined> {
  const opened = openedOf(message);
  const { stored } = opened;
  const range = sectionRange(section, opened);
  if (range === undefined) return `${label} NIL`;
  if (isFiltered(section) && isLongHeader(range)) return undefined;
  const text = isFiltered(section)
    ? cut(await filteredHeader(stored, range, section), partial)
    : await readText(stored, clip(range, partial));
  return `${label} ${literal(text)}`;
}

/** Goes through a hostile header twice, so that it need not be held. */
async function longHeader(
  message: FetchedMessage,
  { section, partial, label }: ItemNamed<"BODY[]">,
  pace: Pace,
): Promise<Writing> {
  const opened = openedOf(message);
  const { stored } = opened;
  const range = sectionRange(section, opened) ?? [0, 0];
  let size = 0;
  for await (const piece of filteredOctets(stored, range, section, partial)) {
    size += piece.length;
    if (pace.due()) await pace.turn();
  }
  return (out) => writePieces(filteredOctets(stored, range, section, partial), size, label, out);
}

function literal(bytes: string): string {
  return bytes === "" ? '""' : `{${bytes.length}}\r\n${bytes.replaceAll("\0", "\x80")}`;
}

/** Whether there is such a section is known before the answer begins. */
function sectionWriting(
  message: FetchedMessage,
  { section, partial, label }: ItemNamed<"BODY[]">,
): Writing {
  const opened = openedOf(message);
  const { stored } = opened;
  const range = sectionRange(section, opened);
  if (range === undefined) return (out) => out.text(`${label} NIL`);
  return (out) => writeRange(stored, clip(range, partial), label, out);
}

async function writeRange(
  stored: StoredMessage,
  [start, end]: OctetRange,
  label: string,
  out: Output,
): Promise<void> {
  if (end <= start) {
    out.text(`${label} ""`);
    return;
  }
  if (stored.whole !== undefined) {
    out.text(`${label} {${end - start}}\r\n`);
    out.bytes(withoutNul(stored.whole.subarray(start, end)));
    return;
  }
  await writePieces(stored.read(start, end), end - start, label, out);
}

async function writePieces(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  label: string,
  out: Output,
): Promise<void> {
  out.text(size === 0 ? `${label} ""` : `${label} {${size}}\r\n`);
  let left = size;
  try {
    for await (const piece of pieces) {
      out.bytes(withoutNul(piece));
      left -= piece.length;
      if (out.full) await out.flush();
    }
  } catch (error) {
    if (error instanceof Disconnected) throw error;
    throw new BrokenResponse("A message became unreadable in the middle of its literal", {
      cause: error,
    });
  }
  if (left !== 0) throw new BrokenResponse("A message is not as long as its literal was announced");
}

/** No literal may hold a NUL: 0x80 stands for it, so that sizes stay. @see RFC 9051 §9 `CHAR8` */
function withoutNul(bytes: Uint8Array): Uint8Array {
  // A string is searched six times as fast as an array.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return text.includes("\0") ? bytes.map((byte) => byte === 0 ? 0x80 : byte) : bytes;
}
