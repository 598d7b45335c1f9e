/** Reads the text of transcripts: docs/testing.md tells the language. */

/** How the clients of a transcript connect. */
export type ConnectMode = "plain" | "tls" | "starttls";

export interface Step {
  /** Counted from 1 in the file. */
  readonly line: number;
  readonly action: Action;
  /** Why a peer may answer otherwise; the RFC sentence that decides. */
  readonly peerDiffers?: string;
}

export type Action =
  | {
    readonly name: "send";
    readonly client: string;
    readonly text: string;
    readonly hold: boolean;
  }
  /** One line, or a group of lines in any order. */
  | {
    readonly name: "expect";
    readonly client: string;
    readonly patterns: readonly string[];
    readonly ordered: boolean;
  }
  /** `...` alone: other untagged lines may come before and among the lines of the next group. */
  | { readonly name: "any"; readonly client: string }
  | { readonly name: "forbid"; readonly client: string; readonly pattern: string }
  /** A command that must be answered OK; nothing else is looked at. */
  | { readonly name: "does"; readonly client: string; readonly command: string }
  | {
    readonly name: "tls" | "compress" | "uncompress" | "close" | "closed" | "otherUser";
    readonly client: string;
  }
  | { readonly name: "fill"; readonly mailbox: string; readonly count: number }
  | {
    readonly name: "append";
    readonly mailbox: string;
    readonly block: string;
    /** Flags and date as they go over the wire; may be empty. */
    readonly options: string;
  }
  | { readonly name: "deliver"; readonly block: string; readonly mailbox: string }
  | {
    readonly name: "check";
    readonly left: string;
    readonly relation: Relation;
    readonly right: string;
  };

export type Relation = "<" | ">" | "=" | "!=";

export interface Transcript {
  /** As in messages: `tests/transcripts/move.txt`. */
  readonly file: string;
  readonly line: number;
  readonly title: string;
  /** Capabilities without which it is skipped. */
  readonly needs: readonly string[];
  readonly login: boolean;
  readonly connect: ConnectMode;
  /** Exact contents by name, one char a byte. */
  readonly blocks: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
}

interface Draft {
  file: string;
  line: number;
  title: string;
  needs: string[];
  login: boolean;
  connect: ConnectMode;
  blocks: Map<string, string>;
  steps: Step[];
  peerDiffers?: string;
}

/**
 * Reads a file of transcripts.
 *
 * @throws {SyntaxError} `FILE:LINE: …` if a line is none of the language
 */
export function readTranscripts(file: string, source: string): readonly Transcript[] {
  const lines = latin1(source).split("\n");
  const transcripts: Draft[] = [];
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index].trimEnd();
    if (text === "" || text.startsWith("#")) continue;
    const title = /^test (.+)$/.exec(text)?.[1];
    if (title !== undefined) {
      transcripts.push(draft(file, index + 1, utf8(title)));
      continue;
    }
    const current = transcripts.at(-1);
    const where = `${file}:${index + 1}`;
    if (!current) throw new SyntaxError(`${where}: Expected "test TITLE" first: got "${text}"`);
    const block = /^given (message|text) ([a-z]\w*):$/.exec(text);
    if (block) {
      const end = lines.findIndex((line, at) => at > index && line.trimEnd() === "end");
      if (end < 0) {
        throw new SyntaxError(`${where}: Expected "end" after "${text}": got the end of the file`);
      }
      current.blocks.set(block[2], contents(block[1], lines.slice(index + 1, end)));
      index = end;
    } else if (!readHeading(current, text)) readStep(current, index + 1, text);
  }
  for (const transcript of transcripts) {
    if (transcript.steps.length === 0 || transcript.peerDiffers !== undefined) {
      throw new SyntaxError(
        `${file}:${transcript.line}: Expected a step at the end of "${transcript.title}": got none`,
      );
    }
  }
  return transcripts;
}

function draft(file: string, line: number, title: string): Draft {
  return {
    file,
    line,
    title,
    needs: [],
    login: true,
    connect: "plain",
    blocks: new Map(),
    steps: [],
  };
}

/** UTF-8 bytes as chars, so that one char is one byte. */
function latin1(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** The opposite of {@link latin1}. */
function utf8(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

/** A message ends every line in CRLF; a text has CRLF between its lines only. */
function contents(kind: string, lines: readonly string[]): string {
  const text = lines.map(expandFixed).join("\r\n");
  return kind === "message" ? `${text}\r\n` : text;
}

/** `%{xHH}` is a byte, `%{crlf}` a line end, `%{TEXT*COUNT}` a repetition. */
export function expandFixed(text: string): string {
  return text
    .replace(/%\{crlf\}/g, "\r\n")
    .replace(/%\{x([0-9A-F]{2})\}/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(
      /%\{([^{}]+)\*(\d+)\}/g,
      (_, part: string, count: string) => part.repeat(Number(count)),
    );
}

/** Lines that say something about the whole transcript. */
function readHeading(current: Draft, text: string): boolean {
  const needs = /^needs: (.+)$/.exec(text)?.[1];
  const connect = /^connect (plain|tls|starttls)$/.exec(text)?.[1];
  const differs = /^peer-differs: (.+)$/.exec(text)?.[1];
  if (needs !== undefined) current.needs.push(...needs.split(" "));
  else if (connect !== undefined) current.connect = connect as ConnectMode;
  else if (differs !== undefined) current.peerDiffers = utf8(differs);
  else if (text === "no login") current.login = false;
  else return false;
  return true;
}

function readStep(current: Draft, line: number, text: string): void {
  const action = actionOf(text);
  if (!action) {
    throw new SyntaxError(
      `${current.file}:${line}: Expected a line of the transcript language: got "${text}"`,
    );
  }
  const peerDiffers = current.peerDiffers;
  delete current.peerDiffers;
  const last = current.steps.at(-1);
  const group = last && peerDiffers === undefined ? joined(last.action, action) : undefined;
  if (last && group) current.steps.splice(-1, 1, { ...last, action: group });
  else current.steps.push({ line, action, ...(peerDiffers === undefined ? {} : { peerDiffers }) });
}

/** Two neighbouring `U:` lines of one client as one group. */
function joined(first: Action, second: Action): Action | undefined {
  if (first.name !== "expect" || second.name !== "expect") return undefined;
  if (first.ordered || second.ordered || first.client !== second.client) return undefined;
  return { ...first, patterns: [...first.patterns, ...second.patterns] };
}

const CLIENT_LINE = /^(\d) (C|C\+|S|U|!): (.+)$/;
const CLIENT_DOES = /^(\d) does: (.+)$/;
const CLIENT_ACT =
  /^(\d) (starts TLS|compresses|compresses no longer|closes|closed|is another user)$/;
const HOLDS =
  /^given (\S+|"[^"]+") holds (?:(\d+) messages?|([a-z]\w*)((?: \([^)]*\))?(?: "[^"]*")?))$/;
const DELIVER = /^deliver ([a-z]\w*) to (\S+)$/;
const CHECK = /^check (%\{[^}]+\}|\S+) (<|>|=|!=) (%\{[^}]+\}|\S+)$/;

function actionOf(text: string): Action | undefined {
  const line = CLIENT_LINE.exec(text);
  if (line) return clientLine(line[1], line[2], line[3]);
  const does = CLIENT_DOES.exec(text);
  if (does) return { name: "does", client: does[1], command: does[2] };
  const act = CLIENT_ACT.exec(text);
  if (act) return clientAct(act[1], act[2]);
  const holds = HOLDS.exec(text);
  if (holds) {
    const mailbox = holds[1].replace(/^"(.*)"$/, "$1");
    if (holds[2] !== undefined) return { name: "fill", mailbox, count: Number(holds[2]) };
    return { name: "append", mailbox, block: holds[3], options: holds[4].trim() };
  }
  const deliver = DELIVER.exec(text);
  if (deliver) return { name: "deliver", block: deliver[1], mailbox: deliver[2] };
  const check = CHECK.exec(text);
  if (check) {
    return { name: "check", left: check[1], relation: check[2] as Relation, right: check[3] };
  }
  return undefined;
}

function clientLine(client: string, kind: string, text: string): Action {
  switch (kind) {
    case "S":
      if (text === "..." || text === "* ...") return { name: "any", client };
      return { name: "expect", client, patterns: [text], ordered: true };
    case "U":
      return { name: "expect", client, patterns: [text], ordered: false };
    case "!":
      return { name: "forbid", client, pattern: text };
    default:
      return { name: "send", client, text, hold: kind === "C+" };
  }
}

function clientAct(client: string, act: string): Action {
  switch (act) {
    case "starts TLS":
      return { name: "tls", client };
    case "compresses":
      return { name: "compress", client };
    case "compresses no longer":
      return { name: "uncompress", client };
    case "closes":
      return { name: "close", client };
    case "closed":
      return { name: "closed", client };
    default:
      return { name: "otherUser", client };
  }
}
