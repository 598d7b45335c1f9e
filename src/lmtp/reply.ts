/** Replies to a client. */

/** What a reply says. @see RFC 5321 §4.2, RFC 3463 */
export interface Reply {
  readonly code: number;
  /** Enhanced status code such as "2.1.5"; absent where there may be none. @see RFC 2034 §4 */
  readonly status?: string;
  /** One line or several, in ASCII. Nothing that a client said may be among it. */
  readonly text: string | readonly string[];
}

/** Makes a reply of one line. */
export function reply(code: number, status: string, text: string): Reply {
  return { code, status, text };
}

/** The reply as it is sent. */
export function replyText({ code, status, text }: Reply): string {
  const lines = typeof text === "string" ? [text] : text;
  const last = lines.length - 1;
  return lines
    .map((line, i) =>
      `${code}${i < last ? "-" : " "}${status ? `${status} ` : ""}${ascii(line)}\r\n`
    )
    .join("");
}

/** What a store says may have names in it. */
function ascii(line: string): string {
  return line.replace(/[^ -~]/g, "?");
}
