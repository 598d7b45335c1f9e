/** Address lists as ENVELOPE shows them. Never fails, linear time. @see RFC 5322 §3.4, §4.4 */

import { unfold } from "./header.ts";
import { endOfComment, endOfQuoted, trimBlanks, unescapeQuoted } from "./structured_field.ts";

/**
 * One element of an ENVELOPE address list. Group syntax: `host` undefined and the group's name in
 * `mailbox` opens a group, both undefined close it. In a mailbox both are strings; a part that the
 * message lacks is "", because NIL would say "group".
 *
 * @see RFC 9051 §7.5.2
 */
export interface Address {
  /** Display name, or else the last comment; encoded words left encoded. */
  readonly name?: string;
  /** Source route, `@a,@b`. */
  readonly route?: string;
  /** Local part without quoting. */
  readonly mailbox?: string;
  readonly host?: string;
}

/**
 * More elements than this of one field are left out, and so are further fields, so that a hostile
 * ENVELOPE stays bounded.
 */
export const MAX_ADDRESSES = 10_000;

/** Reads a raw field value (latin1, still folded). */
export function parseAddressList(raw: string): readonly Address[] {
  return new AddressReader(unfold(raw)).read();
}

/** A piece of a phrase or of a local part. */
interface Word {
  readonly text: string;
  /** Blanks or comments stand before it. */
  readonly spaced: boolean;
  /** It goes on with the local part that the word before began. */
  readonly joined: boolean;
}

class AddressReader {
  readonly #text: string;
  #at = 0;
  #comment: string | undefined;
  /** No quote that is still to come is ever closed: each is only a stray char. */
  #strayQuotes = false;
  #inGroup = false;
  readonly #addresses: Address[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): readonly Address[] {
    while (this.#at < this.#text.length && this.#addresses.length < MAX_ADDRESSES) this.#element();
    this.#closeGroup();
    return this.#addresses;
  }

  /** Reads an address up to and including the next "," or ";", or the start of a group. */
  #element(): void {
    this.#comment = undefined;
    const words = this.#words();
    const char = this.#text[this.#at];
    if (char === "<") this.#angleAddress(phrase(words));
    else if (char === "@") this.#plainAddress(words);
    else if (char === ":") return this.#openGroup(words);
    else this.#withoutHost(words);
    this.#separator();
  }

  #openGroup(words: readonly Word[]): void {
    this.#closeGroup();
    this.#at++;
    this.#inGroup = true;
    this.#addresses.push({ mailbox: phrase(words) ?? "" });
  }

  #closeGroup(): void {
    if (this.#inGroup) this.#addresses.push({});
    this.#inGroup = false;
  }

  /** `root`, or a name without any address. */
  #withoutHost(words: readonly Word[]): void {
    if (words.length === 0) return;
    const single = words.every((word, i) => i === 0 || !word.spaced);
    this.#addresses.push(
      single
        ? { name: this.#comment, mailbox: joinWords(words), host: "" }
        : { name: phrase(words), mailbox: "", host: "" },
    );
  }

  /** `user@host (Name)`; also `Name user@host`, and `a@b <a@b>`, where the first is a name. */
  #plainAddress(words: readonly Word[]): void {
    const start = words.findLastIndex((word) => !word.joined);
    const mailbox = joinWords(words.slice(Math.max(start, 0)));
    const name = start > 0 ? phrase(words.slice(0, start)) : undefined;
    this.#at++;
    const host = this.#domain();
    this.#skipBlanks();
    if (this.#text[this.#at] === "<") {
      this.#angleAddress([name, `${mailbox}@${host}`].filter((part) => part).join(" "));
    } else {
      this.#addresses.push({ name: name ?? this.#comment, mailbox, host });
    }
  }

  /** `<@route:user@host>` */
  #angleAddress(name: string | undefined): void {
    this.#at++;
    this.#skipBlanks();
    const route = this.#text[this.#at] === "@" ? this.#route() : undefined;
    const mailbox = joinWords(this.#words());
    let host = "";
    if (this.#text[this.#at] === "@") {
      this.#at++;
      host = this.#domain();
    }
    this.#skipToAngleEnd();
    this.#skipBlanks();
    this.#addresses.push({ name: name ?? this.#comment, route, mailbox, host });
  }

  #route(): string | undefined {
    const start = this.#at;
    while (this.#at < this.#text.length && !/[:>;]/.test(this.#text[this.#at])) this.#at++;
    const route = this.#text.slice(start, this.#at).replace(/[ \t]/g, "");
    if (this.#text[this.#at] === ":") this.#at++;
    return route;
  }

  /** Passes ">", or stops before what can only belong to the next address. */
  #skipToAngleEnd(): void {
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at];
      if (char === ">") {
        this.#at++;
        return;
      }
      if (char === "," || char === ";") return;
      this.#at++;
    }
  }

  /** Passes what stands between this address and the next. */
  #separator(): void {
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at];
      if (char === "(") {
        this.#readComment();
        continue;
      }
      this.#at++;
      if (char === ";") this.#closeGroup();
      if (char === "," || char === ";") return;
    }
  }

  #words(): Word[] {
    const words: Word[] = [];
    for (;;) {
      const spaced = this.#skipBlanks();
      const joined = words.length > 0 && (!spaced || this.#besideDot(words));
      const char = this.#text[this.#at];
      if (char === undefined || "<@:,;".includes(char)) return words;
      if (char === '"' && !this.#strayQuotes) {
        const end = endOfQuoted(this.#text, this.#at);
        if (end < 0) {
          this.#strayQuotes = true;
          continue;
        }
        words.push({
          text: unescapeQuoted(this.#text.slice(this.#at + 1, end - 1)),
          spaced,
          joined,
        });
        this.#at = end;
      } else if (isAtomCode(char.charCodeAt(0))) {
        words.push({ text: this.#atom(), spaced, joined });
      } else {
        this.#at++;
      }
    }
  }

  /** RFC 5322 §4.4 lets blanks stand around the dots of a local part or a domain. */
  #besideDot(words: readonly Word[]): boolean {
    return this.#text[this.#at] === "." || words[words.length - 1].text.endsWith(".");
  }

  #atom(): string {
    const start = this.#at;
    while (isAtomCode(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #domain(): string {
    // Not one text that grows: to look at its end copies it each time.
    const atoms: string[] = [];
    for (;;) {
      const blanks = this.#skipBlanks();
      const char = this.#text[this.#at];
      if (char === undefined) return atoms.join("");
      if (char === "[") {
        const close = this.#text.indexOf("]", this.#at);
        const end = close < 0 ? this.#text.length : close + 1;
        atoms.push(this.#text.slice(this.#at, end));
        this.#at = end;
        return atoms.join("");
      }
      const last = atoms.at(-1);
      const goesOn = !blanks || last === undefined || last.endsWith(".") || char === ".";
      if (!isAtomCode(char.charCodeAt(0)) || !goesOn) return atoms.join("");
      atoms.push(this.#atom());
    }
  }

  /** Passes blanks and comments, and remembers the last comment. */
  #skipBlanks(): boolean {
    const start = this.#at;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === "(") this.#readComment();
      else if (char === " " || char === "\t" || char === "\r" || char === "\n") this.#at++;
      else return this.#at > start;
    }
  }

  #readComment(): void {
    const end = endOfComment(this.#text, this.#at);
    const closed = this.#text[end - 1] === ")" ? end - 1 : end;
    const comment = trimBlanks(unescapeQuoted(this.#text.slice(this.#at + 1, closed)));
    if (comment !== "") this.#comment = comment;
    this.#at = end;
  }
}

const NO_ATOM: ReadonlySet<number> = new Set(
  Array.from(' \t\r\n"(),:;<>@[]\\', (char) => char.charCodeAt(0)),
);

/** False also for NaN, the code behind the text's end. */
function isAtomCode(code: number): boolean {
  return code >= 0x5e || (code >= 0 && !NO_ATOM.has(code));
}

function joinWords(words: readonly Word[]): string {
  return words.map((word) => word.text).join("");
}

/** A display name: words with one space between them; undefined if there is none. */
function phrase(words: readonly Word[]): string | undefined {
  const text = words.map((word, i) => i > 0 && word.spaced ? ` ${word.text}` : word.text).join("");
  return text === "" ? undefined : text;
}
