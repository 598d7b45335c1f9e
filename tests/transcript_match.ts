/**
 * Compares a response with what a transcript expects. A response is read as a tree, strictly, so
 * that malformed output never matches; where the RFCs leave the order open, order is not compared.
 */

/** One element of a response; `exact` strings are literals, in which nothing is a wildcard. */
export type Node =
  | { readonly kind: "atom"; readonly text: string }
  | { readonly kind: "string"; readonly text: string; readonly exact: boolean }
  | { readonly kind: "list"; readonly items: readonly Node[] };

/** What `$name` stands for; a name without a value takes the one it first meets. */
export type Captures = Map<string, string>;

/** The response breaks the grammar of RFC 3501 §9. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

const STATUS = /^([^ ]+) (OK|NO|BAD|BYE|PREAUTH) ([^]*)$/;
/** `NO|BAD` is either. */
const STATUS_PATTERN = /^([^ ]+) ((?:OK|NO|BAD|BYE|PREAUTH)(?:\|(?:OK|NO|BAD))*) ([^]*)$/;

/**
 * Whether `response` is what `pattern` says. Adds to `captures` only if it is.
 *
 * @throws {Malformed} if the response breaks the grammar, whatever the pattern
 */
export function matchResponse(pattern: string, response: string, captures: Captures): boolean {
  const found: Captures = new Map(captures);
  if (!compare(pattern, response, found)) return false;
  for (const [name, value] of found) captures.set(name, value);
  return true;
}

function compare(pattern: string, response: string, captures: Captures): boolean {
  const status = STATUS.exec(response);
  if (status) {
    const got = resultOf(status[3], response);
    const wanted = STATUS_PATTERN.exec(pattern);
    if (!wanted) return glob(pattern, response, captures);
    return glob(wanted[1], status[1], captures) && wanted[2].split("|").includes(status[2]) &&
      matchResult(wanted[3], got, status[3], captures);
  }
  if (response.startsWith("+")) {
    if (!response.startsWith("+ ")) throw new Malformed(`"+" without a space`);
    return glob(pattern, response, captures);
  }
  if (!response.startsWith("* ")) throw new Malformed("neither tagged, untagged nor continuation");
  const got = parseNodes(response);
  if (!pattern.startsWith("* ")) return false;
  return matchData(parsePattern(pattern), got, captures);
}

interface Result {
  /** What the brackets hold. */
  readonly code: string | undefined;
  readonly text: string;
}

/** resp-text = ["[" resp-text-code "]" SP] text */
function resultOf(result: string, response: string): Result {
  const code = codeLength(result);
  const text = code ? result.slice(code + 1) : result;
  if (text.trim() === "") throw new Malformed(`no text in "${response}"`);
  if (/[\0\r\n]/.test(result)) throw new Malformed("a control character in the text");
  if (!code) return { code: undefined, text };
  parseNodes(result.slice(1, code - 1));
  return { code: result.slice(1, code - 1), text };
}

/** The length of `[…]` at the start; 0 if there is none. */
function codeLength(result: string): number {
  if (!result.startsWith("[")) return 0;
  return /^\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\]/.exec(result)?.[0].length ?? 0;
}

function matchResult(pattern: string, got: Result, whole: string, captures: Captures): boolean {
  const length = codeLength(pattern);
  if (length === 0) return glob(pattern, whole, captures);
  if (got.code === undefined) return false;
  const code = parsePattern(pattern.slice(1, length - 1));
  return matchCode(code, parseNodes(got.code), captures) &&
    glob(pattern.slice(length).trimStart(), got.text, captures);
}

function matchCode(pattern: readonly Node[], got: readonly Node[], captures: Captures): boolean {
  const name = got.length > 0 && got[0].kind === "atom" ? got[0].text : "";
  if (!matchOrdered(pattern.slice(0, 1), got.slice(0, 1), captures)) return false;
  if (name === "CAPABILITY") return matchSet(pattern.slice(1), got.slice(1), captures);
  if (name === "PERMANENTFLAGS") {
    return matchListAsSet(pattern[1], got[1], captures) && pattern.length === got.length;
  }
  return matchOrdered(pattern.slice(1), got.slice(1), captures);
}

/** Untagged data. */
function matchData(pattern: readonly Node[], got: readonly Node[], captures: Captures): boolean {
  if (wordAt(got, 2) === "FETCH") {
    return wordAt(pattern, 2) === "FETCH" &&
      matchOrdered(pattern.slice(1, 2), got.slice(1, 2), captures) &&
      matchListAsPairs(pattern[3], got[3], captures) && pattern.length === got.length;
  }
  const name = wordAt(got, 1);
  if (name === undefined || name !== wordAt(pattern, 1)) {
    return matchOrdered(pattern, got, captures);
  }
  const [wanted, rest] = [pattern.slice(2), got.slice(2)];
  switch (name) {
    case "LIST":
    case "LSUB":
      return matchListAsSet(wanted[0], withoutMarks(rest[0]), captures) &&
        matchOrdered(wanted.slice(1).map(asString), rest.slice(1).map(asString), captures);
    case "STATUS":
      return matchOrdered(
        wanted.slice(0, 1).map(asString),
        rest.slice(0, 1).map(asString),
        captures,
      ) &&
        matchListAsPairs(wanted[1], rest[1], captures) && wanted.length === rest.length;
    case "FLAGS":
      return matchListAsSet(wanted[0], rest[0], captures) && rest.length === 1;
    case "CAPABILITY":
    case "ENABLED":
      return matchSet(wanted, rest, captures);
    case "ID":
      return rest[0]?.kind === "list" && wanted[0]?.kind === "list"
        ? matchListAsPairs(wanted[0], rest[0], captures)
        : matchOrdered(wanted, rest, captures);
    case "ESEARCH": {
      const head = (nodes: readonly Node[]) => wordAt(nodes, 1) === "UID" ? 2 : 1;
      return head(wanted) === head(rest) &&
        matchOrdered(wanted.slice(0, head(rest)), rest.slice(0, head(rest)), captures) &&
        matchPairs(wanted.slice(head(rest)), rest.slice(head(rest)), captures);
    }
    default:
      return matchOrdered(wanted, rest, captures);
  }
}

function wordAt(nodes: readonly Node[], index: number): string | undefined {
  const node = nodes.at(index);
  return node?.kind === "atom" ? node.text : undefined;
}

/** An astring may be spelt as an atom or as a string. */
function asString(node: Node): Node {
  if (node.kind === "list") return { kind: "list", items: node.items.map(asString) };
  return node.kind === "atom" && node.text !== "..." && !node.text.startsWith("$")
    ? { kind: "string", text: node.text, exact: false }
    : node;
}

/** \Marked and \Unmarked are a server's guess, so no expectation names them. */
function withoutMarks(node: Node | undefined): Node | undefined {
  if (node?.kind !== "list") return node;
  const items = node.items.filter((item) => {
    return item.kind !== "atom" || !/^\\(Un)?Marked$/i.test(item.text);
  });
  return { kind: "list", items };
}

function isRest(node: Node | undefined): boolean {
  return node?.kind === "atom" && node.text === "...";
}

function matchOrdered(pattern: readonly Node[], got: readonly Node[], captures: Captures): boolean {
  if (pattern.length === 0) return got.length === 0;
  if (isRest(pattern[0])) {
    for (let skipped = 0; skipped <= got.length; skipped++) {
      const trial: Captures = new Map(captures);
      if (!matchOrdered(pattern.slice(1), got.slice(skipped), trial)) continue;
      for (const [name, value] of trial) captures.set(name, value);
      return true;
    }
    return false;
  }
  return got.length > 0 && matchNode(pattern[0], got[0], captures) &&
    matchOrdered(pattern.slice(1), got.slice(1), captures);
}

/** Each expected element once, in any order; `...` lets others be there too. */
function matchSet(pattern: readonly Node[], got: readonly Node[], captures: Captures): boolean {
  const left = [...got];
  for (const wanted of pattern) {
    if (isRest(wanted)) continue;
    const at = left.findIndex((node) => matchNode(wanted, node, captures));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0 || pattern.some(isRest);
}

/** Names with values, the pairs in any order; `...` lets other pairs be there too. */
function matchPairs(pattern: readonly Node[], got: readonly Node[], captures: Captures): boolean {
  const wanted = pattern.filter((node) => !isRest(node));
  if (got.length % 2 !== 0) return false;
  const names = got.filter((_, index) => index % 2 === 0);
  const left = new Set(names.keys());
  for (let i = 0; i + 1 < wanted.length; i += 2) {
    const at = names.findIndex((name, index) =>
      left.has(index) && matchNode(wanted[i], name, captures)
    );
    if (at < 0) return false;
    left.delete(at);
    const [value, found] = [wanted[i + 1], got[2 * at + 1]];
    const isFlags = wordAt(names, at) === "FLAGS";
    if (isFlags ? !matchListAsSet(value, found, captures) : !matchNode(value, found, captures)) {
      return false;
    }
  }
  return wanted.length % 2 === 0 && (left.size === 0 || wanted.length < pattern.length);
}

function matchListAsSet(pattern: Node | undefined, got: Node | undefined, captures: Captures) {
  return pattern?.kind === "list" && got?.kind === "list" &&
    matchSet(pattern.items, got.items, captures);
}

function matchListAsPairs(pattern: Node | undefined, got: Node | undefined, captures: Captures) {
  return pattern?.kind === "list" && got?.kind === "list" &&
    matchPairs(pattern.items, got.items, captures);
}

function matchNode(pattern: Node, got: Node, captures: Captures): boolean {
  if (pattern.kind === "list" || got.kind === "list") {
    return pattern.kind === "list" && got.kind === "list" &&
      matchOrdered(pattern.items, got.items, captures);
  }
  if (pattern.kind === "string") {
    return got.kind === "string" &&
      (pattern.exact ? pattern.text === got.text : glob(pattern.text, got.text, captures));
  }
  return (got.kind === "atom" || pattern.text.startsWith("$")) &&
    glob(pattern.text, got.text, captures);
}

/** `...` is any text, `$name` is a capture. */
function glob(pattern: string, text: string, captures: Captures): boolean {
  const seen = new Set<string>();
  const source = pattern.replace(/\.\.\.|\$[a-z][a-z0-9]*|[\\^$.*+?()[\]{}|/]/g, (part) => {
    if (part === "...") return "[^]*";
    if (!/^\$[a-z]/.test(part)) return `\\${part}`;
    const name = part.slice(1);
    const value = captures.get(name);
    if (value !== undefined) return value.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    if (seen.has(name)) return `\\k<${name}>`;
    seen.add(name);
    return `(?<${name}>[^\\s()\\[\\]"]*)`;
  });
  const found = new RegExp(`^${source}$`).exec(text);
  if (!found) return false;
  for (const [name, value] of Object.entries(found.groups ?? {})) captures.set(name, value);
  return true;
}

/**
 * Reads `text` as elements divided by single spaces. Lists of a kind may follow each other without
 * a space, as body structures do.
 *
 * @throws {Malformed} if it is not such a text
 */
export function parseNodes(text: string): readonly Node[] {
  return readNodes(text, /"((?:[^"\\\r\n\0]|\\["\\])*)"/y);
}

/** As {@link parseNodes}, but strings in quotes may hold line ends: how they are sent is left open. */
function parsePattern(text: string): readonly Node[] {
  return readNodes(text, /"((?:[^"\\]|\\["\\])*)"/y);
}

function readNodes(text: string, quotedString: RegExp): readonly Node[] {
  const reader = new NodeReader(text, quotedString);
  const nodes = reader.items();
  if (!reader.done) throw new Malformed(`stray "${text.slice(reader.at, reader.at + 20)}"`);
  return nodes;
}

class NodeReader {
  at = 0;
  readonly #text: string;
  readonly #quotedString: RegExp;

  constructor(text: string, quotedString: RegExp) {
    this.#text = text;
    this.#quotedString = quotedString;
  }

  get done(): boolean {
    return this.at >= this.#text.length;
  }

  items(): readonly Node[] {
    const items: Node[] = [];
    if (this.done || this.#peek() === ")") return items;
    for (;;) {
      items.push(this.#node());
      if (this.#peek() === " ") this.at++;
      else if (this.#peek() !== "(" || items.at(-1)?.kind !== "list") return items;
    }
  }

  #peek(): string {
    return this.#text.charAt(this.at);
  }

  #node(): Node {
    switch (this.#peek()) {
      case "(":
        return this.#list();
      case '"':
        return this.#quoted();
      case "{":
        return this.#literal();
      case "~":
        return this.#literal8() ?? this.#atom();
      default:
        return this.#atom();
    }
  }

  #list(): Node {
    this.at++;
    const items = this.items();
    if (this.#peek() !== ")") {
      throw new Malformed(`expected ")" before "${this.#text.slice(this.at, this.at + 20)}"`);
    }
    this.at++;
    return { kind: "list", items };
  }

  #quoted(): Node {
    const found = this.#quotedString;
    found.lastIndex = this.at;
    const match = found.exec(this.#text);
    if (!match) {
      throw new Malformed(`bad quoted string at "${this.#text.slice(this.at, this.at + 40)}"`);
    }
    this.at = found.lastIndex;
    return { kind: "string", text: match[1].replace(/\\(.)/g, "$1"), exact: false };
  }

  #literal(): Node {
    const head = /\{(\d+)\}\r\n/y;
    head.lastIndex = this.at;
    const match = head.exec(this.#text);
    if (!match) throw new Malformed(`bad literal at "${this.#text.slice(this.at, this.at + 20)}"`);
    const start = head.lastIndex;
    this.at = start + Number(match[1]);
    return { kind: "string", text: this.#text.slice(start, this.at), exact: true };
  }

  /** literal8 = "~{" number "}" CRLF *OCTET; a string like any other */
  #literal8(): Node | undefined {
    if (this.#text.charAt(this.at + 1) !== "{") return undefined;
    this.at++;
    return this.#literal();
  }

  /** An atom, in which "[" may stand, or a FETCH item: `BODY[HEADER.FIELDS (FROM)]<0>`. */
  #atom(): Node {
    const found =
      /(?:(?<=^|\b(?:BODY|BINARY|BINARY\.SIZE|(?:OK|NO|BAD|BYE|PREAUTH) ))\[[^\]\r\n]*\]|[^\s()"{\]])+/iy;
    found.lastIndex = this.at;
    const match = found.exec(this.#text);
    if (!match) {
      throw new Malformed(`expected a value at "${this.#text.slice(this.at, this.at + 20)}"`);
    }
    this.at = found.lastIndex;
    return { kind: "atom", text: match[0] };
  }
}
