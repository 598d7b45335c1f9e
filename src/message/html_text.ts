/** What a person reads of HTML mail, in linear time. Never fails. */

/** The text of HTML, and of what it quotes of other messages. Blanks are not folded. */
export interface HtmlText {
  readonly own: string;
  readonly quoted: string;
}

/** Elements whose content nobody reads; the true ones hold no tags, and so all that follows. */
const UNSEEN: ReadonlyMap<string, boolean> = new Map([
  ["head", false],
  ["noscript", false],
  ["object", false],
  ["script", true],
  ["style", true],
  ["svg", false],
  ["template", false],
  ["textarea", true],
  ["title", true],
]);

/** Tags that stand within a word. */
const INLINE: ReadonlySet<string> = new Set(
  ("a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark o:p s samp small " +
    "span strike strong sub sup time tt u var wbr").split(" "),
);

/** Classes of elements that introduce a quotation ("On Monday Ann wrote:"). */
const ATTRIBUTION = /\bclass\s*=(?:\s*["'])?[^"'>]*\b(?:gmail_attr|moz-cite-prefix)\b/i;

/** Takes the tags out of HTML, or of its beginning. */
export function htmlText(html: string): HtmlText {
  const reader = new TagReader(html);
  let own = "";
  let quoted = "";
  let depth = 0;
  const add = (text: string) => depth === 0 ? own += text : quoted += text;
  while (!reader.done) {
    add(decodeEntities(reader.text()));
    const tag = reader.tag();
    if (tag === undefined) continue;
    if (tag.name === "blockquote") depth = Math.max(0, depth + (tag.closing ? -1 : 1));
    if (!INLINE.has(tag.name)) add(" ");
    if (tag.closing) continue;
    const unseen = UNSEEN.get(tag.name);
    if (unseen !== undefined) reader.skipTo(tag.name, unseen);
    else if (tag.name === "div" && ATTRIBUTION.test(tag.source)) reader.skipTo("div", false);
  }
  return { own, quoted };
}

interface Tag {
  /** In lower case; "" for comments and declarations. */
  readonly name: string;
  readonly closing: boolean;
  readonly source: string;
}

/** Goes through HTML from tag to tag. */
class TagReader {
  readonly #html: string;
  #at = 0;
  readonly #tagStart = /<[A-Za-z/!?]/g;
  readonly #tagName = /[^\s/>]{0,32}/y;
  /** In lower case; made when something is skipped. */
  #lower: string | undefined;
  /** What was looked for and is nowhere behind: it is not looked for again. */
  readonly #absent = new Set<string>();

  constructor(html: string) {
    this.#html = html;
  }

  get done(): boolean {
    return this.#at >= this.#html.length;
  }

  /** All up to the next tag. */
  text(): string {
    this.#tagStart.lastIndex = this.#at;
    const text = this.#html.slice(this.#at, this.#tagStart.exec(this.#html)?.index);
    this.#at += text.length;
    return text;
  }

  /** The tag that begins here; undefined at the end. */
  tag(): Tag | undefined {
    if (this.done) return undefined;
    const start = this.#at;
    const html = this.#html;
    if (html.startsWith("<!--", start)) {
      const end = this.#find("-->", start + 4);
      this.#at = end < 0 ? html.length : end + 3;
      return { name: "", closing: true, source: "" };
    }
    const closing = html[start + 1] === "/";
    this.#tagName.lastIndex = start + (closing ? 2 : 1);
    const word = (this.#tagName.exec(html)?.[0] ?? "").toLowerCase();
    this.#at = this.#endOfTag(start);
    return { name: word, closing, source: html.slice(start, Math.min(this.#at, start + 500)) };
  }

  /** Goes on behind the next closing tag of that name, or at the end if there is none and `toEnd`. */
  skipTo(name: string, toEnd: boolean): void {
    this.#lower ??= this.#html.toLowerCase();
    const end = this.#find(`</${name}`, this.#at, this.#lower);
    if (end >= 0) this.#at = this.#endOfTag(end);
    else if (toEnd) this.#at = this.#html.length;
  }

  /** Behind the ">" that is in no quoted value; a quotation mark that is never closed is none. */
  #endOfTag(start: number): number {
    const html = this.#html;
    for (let at = start + 1; at < html.length; at++) {
      const char = html[at];
      if (char === ">") return at + 1;
      if (char !== '"' && char !== "'") continue;
      const close = this.#find(char, at + 1);
      if (close >= 0) at = close;
    }
    return html.length;
  }

  #find(wanted: string, from: number, text = this.#html): number {
    if (this.#absent.has(wanted)) return -1;
    const at = text.indexOf(wanted, from);
    if (at < 0) this.#absent.add(wanted);
    return at;
  }
}

/** Names of U+00A0 to U+00FF. */
const LATIN1 =
  ("nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn " +
    "sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave " +
    "Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml " +
    "ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN " +
    "szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave " +
    "iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc " +
    "uuml yacute thorn yuml").split(" ");

/** The others that mail has. */
const OTHERS: Readonly<Record<string, number>> = {
  amp: 0x26,
  apos: 0x27,
  asymp: 0x2248,
  bull: 0x2022,
  dagger: 0x2020,
  darr: 0x2193,
  emsp: 0x2003,
  ensp: 0x2002,
  euro: 0x20ac,
  ge: 0x2265,
  gt: 0x3e,
  hearts: 0x2665,
  hellip: 0x2026,
  infin: 0x221e,
  larr: 0x2190,
  ldquo: 0x201c,
  le: 0x2264,
  lrm: 0x200e,
  lsaquo: 0x2039,
  lsquo: 0x2018,
  lt: 0x3c,
  mdash: 0x2014,
  minus: 0x2212,
  ndash: 0x2013,
  ne: 0x2260,
  OElig: 0x152,
  oelig: 0x153,
  permil: 0x2030,
  quot: 0x22,
  rarr: 0x2192,
  rdquo: 0x201d,
  rlm: 0x200f,
  rsaquo: 0x203a,
  rsquo: 0x2019,
  sbquo: 0x201a,
  bdquo: 0x201e,
  Scaron: 0x160,
  scaron: 0x161,
  thinsp: 0x2009,
  trade: 0x2122,
  uarr: 0x2191,
  zwj: 0x200d,
  zwnj: 0x200c,
};

const NAMED: ReadonlyMap<string, string> = new Map([
  ...LATIN1.map((name, i) => [name, String.fromCharCode(0xa0 + i)] as const),
  ...Object.entries(OTHERS).map(([name, code]) => [name, String.fromCharCode(code)] as const),
]);

const ENTITY = /&(?:#(\d{1,8})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,8}));/g;

/** Decodes character references; one that is not known stays. */
function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (source, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED.get(name) ?? source;
    const code = decimal === undefined ? parseInt(hex ?? "", 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  });
}
