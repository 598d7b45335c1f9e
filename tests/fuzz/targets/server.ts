/** The whole server, over real sockets: anything in each state of a session. */

import assert from "node:assert/strict";
import { sampleMessage } from "../../sample_message.ts";
import { serving } from "../../net/serving.ts";
import type { FuzzTarget } from "../engine/target.ts";
import { PARSERS, VALID } from "./commands.ts";
import { converse, prepare, STATES } from "./conversation.ts";

/** Inputs that one account has to bear before another one takes its place. */
const INPUTS_OF_ACCOUNT = 50;
/** Octets of the process; a leak of a kilobyte for each input would pass it in an hour. */
const MOST_MEMORY = 2 ** 31;

/** Lines of the log that no client may bring about. */
export const BAD_LINES = /^error|: bug|TypeError|RangeError|Uncaught|Unhandled/;

/** Of each state, each valid command, and what attacks begin with. */
export const SERVER_SEEDS: readonly string[] = [
  ...VALID.flatMap((
    text,
    i,
  ) => [`${STATES.length - 2}${text}\r\n`, `${i % STATES.length}${text}\r\n`]),
  "0GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  "0a LOGIN {3}\r\nabc {3}\r\nabc\r\n",
  "0a AUTHENTICATE PLAIN\r\nAGEAYg==\r\nb CAPABILITY\r\n",
  "0a STARTTLS\r\nb NOOP\r\n",
  "1a COMPRESS DEFLATE\r\nxxxx",
  '1a CREATE "a/b"\r\nb RENAME a c\r\nd LIST "" *\r\ne STATUS c/b (MESSAGES)\r\nf DELETE c/b\r\n',
  "1a APPEND INBOX {10}\r\nFrom: x\r\n\r\n\r\nb NOOP\r\n",
  "2a FETCH 1:* (FLAGS BODY[] ENVELOPE BODYSTRUCTURE)\r\nb STORE 1:* +FLAGS (\\Deleted x)\r\nc EXPUNGE\r\n",
  "2a SEARCH RETURN (SAVE) ALL\r\nb FETCH $ UID\r\nc MOVE $ INBOX\r\nd UID SEARCH TEXT a\r\n",
  "2a FETCH 1 BODY[1.MIME]<0.5>\r\nb FETCH 2 BINARY[1]\r\nc THREAD REFERENCES UTF-8 ALL\r\nd SORT (SUBJECT) UTF-8 ALL\r\n",
  '1a CREATE "b (c) \\"d\\\\"\r\nb LIST "" * RETURN (STATUS (UIDNEXT) CHILDREN)\r\nc SUBSCRIBE "b (c) \\"d\\\\"\r\nd LSUB "" *\r\n',
  "1a CREATE Entw&APw-rfe\r\nb ENABLE UTF8=ACCEPT\r\nc LIST {0+}\r\n {1+}\r\n*\r\nd STATUS Entw\xc3\xbcrfe (SIZE)\r\n",
  "1a SETMETADATA INBOX (/private/comment {4+}\r\nx\r\ny /private/z ~{1+}\r\n\0)\r\nb GETMETADATA (DEPTH 1) INBOX /private\r\n",
  "2a STORE 1:2 +FLAGS (k[ $x ~!)\r\nb FETCH 1:* (FLAGS MODSEQ)\r\nc SEARCH KEYWORD k[\r\n",
  ...[...PARSERS].filter(([, parser]) => parser === PARSERS.get("NOOP")).map(([name]) =>
    `2a ${name}\r\n`
  ),
  "3DONE\r\na NOOP\r\n",
  "3x\r\n",
];

export const server: FuzzTarget = {
  name: "server",
  seeds: SERVER_SEEDS,
  sources: ["net/connection.ts", "imap/dispatch.ts", "imap/command_rows.ts"],
  tokens: [
    "a ",
    "\r\n",
    " INBOX",
    "{3+}\r\n",
    "(",
    ")",
    '"',
    "1:*",
    "$",
    "BODY[",
    "\r\nb ",
    ...PARSERS.keys(),
  ],
  longest: 2000,
  slow: 20_000,
  gate: 60,
  async begin() {
    const running = await serving(['listen = ["tcp://127.0.0.1:0"]\ninsecure_auth = true\n'], {
      top: '[limits]\npenalty = "0s"\n',
    });
    await Deno.writeTextFile(`${running.dir}/users`, usersText());
    let inputs = 0;
    let account = 0;
    let user = "";
    let read = 0;
    return {
      async run(input) {
        const [port] = running.ports;
        if (inputs++ % INPUTS_OF_ACCOUNT === 0) {
          user = `f${account++ % ACCOUNTS}`;
          await prepare({ port, user, password: "secret" }, MAIL);
        }
        const state = STATES[(input[0] ?? 0) % STATES.length];
        await converse({ port, user, password: "secret" }, state, input.subarray(1));
        const bad = running.lines.slice(read).filter((line) => BAD_LINES.test(line));
        read = running.lines.length;
        assert.deepEqual(bad, []);
        assert.ok(Deno.memoryUsage().rss < MOST_MEMORY, "more and more memory");
      },
      end: async () => await running[Symbol.asyncDispose](),
    };
  },
};

const ACCOUNTS = 1000;
/** bcrypt (cost 4) of "secret". */
const HASH = "$2a$04$p9YIi8TXWWDhzmsLRraC.OqTYO05Xe1pTcHzxt11Y6HHRLWpjbwvq";

function usersText(): string {
  return Array.from({ length: ACCOUNTS }, (_, i) => `f${i}: bcrypt:${HASH}\n`).join("");
}

const NESTED =
  "Subject: nested\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n" +
  "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b\r\nContent-Transfer-Encoding: base64\r\n" +
  "Content-Type: application/x\r\n\r\nAAECAw==\r\n--b--\r\n";

/** Commands that put some mail into an account. */
export const MAIL: readonly string[] = [sampleMessage(1), sampleMessage(2), NESTED].map((text) =>
  `APPEND INBOX {${text.length}+}\r\n${text}`
);
