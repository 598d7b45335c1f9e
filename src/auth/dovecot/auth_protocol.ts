/**
 * The lines that clients and Dovecot's auth process exchange. Fields are divided by tabs.
 *
 * @see https://doc.dovecot.org/developer_manual/design/auth_protocol/
 */

/** Dovecot says goodbye to clients with longer lines. */
export const LONGEST_LINE = 8192;

/** What Dovecot is asked about one login. */
export interface AuthRequest {
  /** Of one connection: no two requests under way have the same. */
  readonly id: number;
  readonly username: string;
  readonly password: string;
  /** The client's address; absent for a local one. */
  readonly remoteIp?: string;
  readonly secured: boolean;
}

/** What Dovecot says. */
export type AuthReply =
  | { readonly type: "version"; readonly major: number }
  | { readonly type: "mechanism"; readonly name: string }
  /** The end of the handshake. */
  | { readonly type: "done" }
  /** `fields` as in `user=ann`; one without a value has "". */
  | {
    readonly type: "ok" | "fail" | "continue";
    readonly id: number;
    readonly fields: ReadonlyMap<string, string>;
  }
  | { readonly type: "other" };

/** What a client says first; `clientId` differs from that of any other client. */
export function greeting(clientId: number): string {
  return `VERSION\t1\t1\nCPID\t${clientId}\n`;
}

/** Asks by PLAIN. Dovecot needs to prepare no login of its own. @see RFC 4616 §2 */
export function authLine(request: AuthRequest): string {
  const { id, username, password, remoteIp, secured } = request;
  const response = new TextEncoder().encode(`\0${username}\0${password}`);
  const fields = ["AUTH", String(id), "PLAIN", "service=imap", "nologin"];
  if (secured) fields.push("secured");
  if (remoteIp !== undefined) fields.push(`rip=${remoteIp}`);
  // The last one, as the protocol wants it.
  fields.push(`resp=${btoa(String.fromCharCode(...response))}`);
  return `${fields.join("\t")}\n`;
}

/** Reads a line without its end. */
export function parseReply(line: string): AuthReply {
  const [command, first = "", ...rest] = line.split("\t");
  switch (command) {
    case "VERSION":
      return { type: "version", major: Number(first) };
    case "MECH":
      return { type: "mechanism", name: first };
    case "DONE":
      return { type: "done" };
    case "OK":
      return { type: "ok", id: Number(first), fields: fieldsOf(rest) };
    case "FAIL":
      return { type: "fail", id: Number(first), fields: fieldsOf(rest) };
    case "CONT":
      return { type: "continue", id: Number(first), fields: new Map() };
    default:
      return { type: "other" };
  }
}

function fieldsOf(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(texts.map((text) => {
    const equals = text.indexOf("=");
    return equals < 0 ? [text, ""] : [text.slice(0, equals), unescape(text.slice(equals + 1))];
  }));
}

const ESCAPED: Readonly<Record<string, string>> = {
  "0": "\0",
  "1": "\x01",
  t: "\t",
  r: "\r",
  n: "\n",
};

function unescape(text: string): string {
  // deno-lint-ignore no-control-regex -- that is Dovecot's escape character
  return text.replace(/\x01([01trn])/g, (_, char: string) => ESCAPED[char]);
}
