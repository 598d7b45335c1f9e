/** FETCH items and section specs. @see RFC 9051 §6.4.5, §9 `fetch-att` */

import { ASTRING, isOf } from "./char_class.ts";
import type { Scanner } from "./scanner.ts";

/** What stands between the brackets of BODY[…]. */
export interface Section {
  /** Part numbers; empty for the message itself. */
  readonly part: readonly number[];
  /** "" is the whole part (or message). */
  readonly text: "" | "HEADER" | "TEXT" | "MIME" | "HEADER.FIELDS" | "HEADER.FIELDS.NOT";
  /** Field names of HEADER.FIELDS(.NOT) as the client wrote them. */
  readonly fields: readonly string[];
}

/** `<offset.count>` */
export interface PartialRange {
  readonly offset: number;
  readonly count: number;
}

export type FetchItem =
  | {
    readonly name:
      | "UID"
      | "FLAGS"
      | "INTERNALDATE"
      | "RFC822.SIZE"
      | "ENVELOPE"
      | "BODYSTRUCTURE"
      | "MODSEQ"
      | "EMAILID"
      | "THREADID"
      | "SAVEDATE";
  }
  /** LAZY: NIL will do where making it takes time. @see RFC 8970 §4.1 */
  | { readonly name: "PREVIEW"; readonly lazy: boolean }
  /** BODY without a section: BODYSTRUCTURE without extension data. */
  | { readonly name: "BODY" }
  | {
    /** BODY[…], BODY.PEEK[…], RFC822, RFC822.HEADER, RFC822.TEXT. */
    readonly name: "BODY[]";
    readonly section: Section;
    readonly partial?: PartialRange;
    /** False: fetching it sets \Seen. */
    readonly peek: boolean;
    /** How the answer names it: `BODY[1.HEADER.FIELDS (FROM TO)]<0>`, `RFC822.TEXT`. */
    readonly label: string;
  }
  | {
    /** BINARY[…], BINARY.PEEK[…]: a part with its transfer encoding undone. */
    readonly name: "BINARY";
    /** Part numbers; empty for the message itself. */
    readonly part: readonly number[];
    /** Of what is decoded. */
    readonly partial?: PartialRange;
    readonly peek: boolean;
    readonly label: string;
  }
  | {
    /** BINARY.SIZE[…]: octets of such a part. */
    readonly name: "BINARY.SIZE";
    readonly part: readonly number[];
    readonly label: string;
  };

const FAST = ["FLAGS", "INTERNALDATE", "RFC822.SIZE"] as const;
const ALL = [...FAST, "ENVELOPE"] as const;

/** Each stands alone, never in a list. @see RFC 9051 §6.4.5 */
const MACROS: ReadonlyMap<string, readonly FetchItem[]> = new Map(
  Object.entries({ FAST, ALL, FULL: [...ALL, "BODY"] as const })
    .map(([macro, names]) => [macro, names.map((name) => ({ name }))]),
);

/** What follows the name of an item, by that name. */
const ITEMS: ReadonlyMap<string, (s: Scanner) => FetchItem> = new Map(Object.entries(
  {
    "UID": () => ({ name: "UID" }),
    "FLAGS": () => ({ name: "FLAGS" }),
    "INTERNALDATE": () => ({ name: "INTERNALDATE" }),
    "RFC822.SIZE": () => ({ name: "RFC822.SIZE" }),
    "ENVELOPE": () => ({ name: "ENVELOPE" }),
    "BODYSTRUCTURE": () => ({ name: "BODYSTRUCTURE" }),
    "MODSEQ": () => ({ name: "MODSEQ" }),
    "EMAILID": () => ({ name: "EMAILID" }),
    "THREADID": () => ({ name: "THREADID" }),
    "SAVEDATE": () => ({ name: "SAVEDATE" }),
    "PREVIEW": (s) => ({ name: "PREVIEW", lazy: takesLazy(s) }),
    "BODY": (s) => s.peek() === "[" ? bodySection(s, false) : { name: "BODY" },
    "BODY.PEEK": (s) => bodySection(s, true),
    "BINARY": (s) => binarySection(s, false),
    "BINARY.PEEK": (s) => binarySection(s, true),
    "BINARY.SIZE": (s) => binarySize(s),
    "RFC822": () => rfc822("RFC822", "", false),
    "RFC822.HEADER": () => rfc822("RFC822.HEADER", "HEADER", true),
    "RFC822.TEXT": () => rfc822("RFC822.TEXT", "TEXT", false),
  } satisfies Record<string, (s: Scanner) => FetchItem>,
));

/** What FETCH asks for: a macro, one item, or a list. */
export function fetchItems(s: Scanner): FetchItem[] {
  if (s.peek() === "(") return distinct(s.list(fetchItem));
  for (const [macro, items] of MACROS) {
    if (s.takeKeyword(macro)) return [...items];
  }
  return [fetchItem(s)];
}

/**
 * fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
 *   "BODY" ["STRUCTURE"] / "UID" / "BODY" section ["<" number "." nz-number ">"] /
 *   "BODY.PEEK" section ["<" number "." nz-number ">"] / "MODSEQ" / "EMAILID" / "THREADID" /
 *   "SAVEDATE" / preview-fetch-att
 *
 * @see RFC 3501 §9, RFC 7162 §7, RFC 8474 §7, RFC 8514 §5
 */
function fetchItem(s: Scanner): FetchItem {
  const start = s.position;
  const rest = ITEMS.get(s.keyword("a FETCH item"));
  if (rest === undefined) throw s.fault("a FETCH item", start);
  return rest(s);
}

/**
 * preview-fetch-att = "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
 *
 * preview-mod = "LAZY"; what else follows in parentheses are modifiers of FETCH
 *
 * @see RFC 8970 §6
 */
function takesLazy(s: Scanner): boolean {
  if (!/^ \(LAZY[ )]/i.test(s.text.slice(s.position, s.position + 7))) return false;
  s.space();
  s.list((s) => {
    if (!s.takeKeyword("LAZY")) throw s.fault("LAZY");
  });
  return true;
}

function rfc822(label: string, text: "" | "HEADER" | "TEXT", peek: boolean): FetchItem {
  return { name: "BODY[]", section: { part: [], text, fields: [] }, peek, label };
}

function bodySection(s: Scanner, peek: boolean): FetchItem {
  s.expect("[");
  const section = sectionSpec(s);
  s.expect("]");
  const partial = s.take("<") ? partialRange(s) : undefined;
  const offset = partial === undefined ? "" : `<${partial.offset}>`;
  const label = `BODY[${spell(section)}]${offset}`;
  return { name: "BODY[]", section, partial, peek, label };
}

/**
 * "BINARY" [".PEEK"] section-binary [partial]
 *
 * section-binary = "[" [section-part] "]"
 *
 * @see RFC 3516 §7
 */
function binarySection(s: Scanner, peek: boolean): FetchItem {
  const part = sectionBinary(s);
  const partial = s.take("<") ? partialRange(s) : undefined;
  const offset = partial === undefined ? "" : `<${partial.offset}>`;
  return { name: "BINARY", part, partial, peek, label: `BINARY[${part.join(".")}]${offset}` };
}

/** "BINARY.SIZE" section-binary @see RFC 3516 §7 */
function binarySize(s: Scanner): FetchItem {
  const part = sectionBinary(s);
  return { name: "BINARY.SIZE", part, label: `BINARY.SIZE[${part.join(".")}]` };
}

function sectionBinary(s: Scanner): readonly number[] {
  s.expect("[");
  const part = s.peek() === "]" ? [] : s.separated(".", () => s.nzNumber("a part number"));
  s.expect("]");
  return part;
}

/** number "." nz-number ">" @see RFC 9051 §9 `partial` */
function partialRange(s: Scanner): PartialRange {
  const offset = s.number64("an offset");
  s.expect(".");
  const count = s.nzNumber64("a count");
  s.expect(">");
  return { offset, count };
}

/**
 * section-spec = section-msgtext / (section-part ["." section-text])
 *
 * section-part = nz-number *("." nz-number)
 */
export function sectionSpec(s: Scanner): Section {
  const part: number[] = [];
  if (s.peek() === "]") return { part, text: "", fields: [] };
  while (/\d/.test(s.peek())) {
    part.push(s.nzNumber("a part number"));
    if (!s.take(".")) return { part, text: "", fields: [] };
  }
  return { part, ...sectionText(s, part.length > 0) };
}

type SectionText = Omit<Section, "part">;

/**
 * section-text = section-msgtext / "MIME"
 *
 * section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 */
function sectionText(s: Scanner, ofPart: boolean): SectionText {
  const start = s.position;
  const wanted = `HEADER, HEADER.FIELDS, TEXT${ofPart ? ", MIME" : ""} or a part number`;
  const text = s.keyword(wanted);
  switch (text) {
    case "HEADER":
    case "TEXT":
      return { text, fields: [] };
    case "MIME":
      if (!ofPart) break;
      return { text, fields: [] };
    case "HEADER.FIELDS":
    case "HEADER.FIELDS.NOT":
      s.space();
      return { text, fields: s.list(fieldName) };
  }
  throw s.fault(wanted, start);
}

/** header-fld-name = astring; only what can be spelled back in the answer's label */
function fieldName(s: Scanner): string {
  const start = s.position;
  const name = s.astring("the name of a header field");
  if (!/^[ -~]*$/.test(name)) throw s.fault("the name of a header field", start);
  return name;
}

function spell({ part, text, fields }: Section): string {
  const path = text === "" ? [...part] : [...part, text];
  const list = fields.length === 0 ? "" : ` (${fields.map(spellField).join(" ")})`;
  return path.join(".") + list;
}

function spellField(name: string): string {
  const plain = name !== "" && [...name].every((char) => isOf(char.charCodeAt(0), ASTRING));
  return plain ? name : `"${name.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Same for items that would be answered alike. */
function keyOf(item: FetchItem): string {
  if (!("label" in item)) return item.name;
  return "partial" in item ? `${item.label}.${item.partial?.count ?? ""}` : item.label;
}

/**
 * Drops repetitions; of the same section once fetched and once only peeked at, the former stays, as
 * does a preview that is waited for.
 */
function distinct(items: readonly FetchItem[]): FetchItem[] {
  const byKey = new Map<string, FetchItem>();
  for (const item of items) {
    const key = keyOf(item);
    const before = byKey.get(key);
    const less = before !== undefined &&
      ("peek" in before && before.peek || "lazy" in before && before.lazy);
    if (before === undefined || less) byKey.set(key, item);
  }
  return [...byKey.values()];
}
