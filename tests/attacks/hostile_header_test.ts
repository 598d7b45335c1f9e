// Header fields of a megabyte on which a parser that looks twice takes minutes, and one that looks
// three times years. Each message is delivered before anybody can refuse it.

import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** Four times as much as is looked at of a header. */
const OCTETS = 1_000_000;

/** As many of `unit` as fit into the lines of a field. */
function field(name: string, start: string, unit: string, end = ""): string {
  return `${name}: ${start}${unit.repeat(Math.floor(OCTETS / unit.length))}${end}\r\n`;
}

const IDS: Record<string, string> = {
  "References of blanks": field("References", "<", " "),
  "References of folds": field("References", "<", "\r\n ", "@"),
  "Message-ID of blanks before a quoted part": field("Message-ID", "<", "\t", '"a"'),
  "Message-ID of quotes": field("Message-ID", "", '<"\\<'),
  "In-Reply-To of opening brackets": field("In-Reply-To", "", "<"),
  "In-Reply-To of ids": field("In-Reply-To", "", "<a@b>"),
};

const WORDS: Record<string, string> = {
  "encoded word of padding": field("Subject", "=?utf-8?b?", "=", "A?="),
  "encoded words that never end": field("Subject", "", "=?utf-8?q?"),
  "encoded words of one letter, in charsets by turns": field(
    "Subject",
    "",
    "=?utf-8?q?a?= =?x?q?b?=\r\n ",
  ),
  "forwards in forwards": field("Subject", "", "[fwd: "),
  "replies to blobs": field("Subject", "", "re[a]: [b] "),
};

const ADDRESSES: Record<string, string> = {
  "comments in comments": field("From", "", "("),
  "comments behind comments": field("From", "a@b ", "(a) "),
  "quotes that never end": field("To", "", '"a\\"'),
  "quotes by turns": field("To", '"', '" "a@'),
  "groups in groups": field("Cc", "", "a:"),
  "routes": field("Cc", "<", "@a,"),
  "domains in brackets": field("Bcc", "a@", "[]["),
  "dots": field("Reply-To", "", "a . "),
  "a domain of blanks and dots": field("To", "a@b", " .cd"),
};

const DATES: Record<string, string> = {
  "blanks": field("Date", "", " ", "1 Jan 2026"),
  "digits": field("Date", "Mon, 1", "1"),
  "letters": field("Date", "", "a"),
  "comments": field("Date", "1 Jan 2026 00:00:00 +0000 ", "(a"),
};

const PARAMETERS: Record<string, string> = {
  // CVE-2026-27859: parameters of RFC 2231 that kept a server busy for hours.
  "a flood of RFC 2231": `Content-Type: text/plain${
    Array.from({ length: OCTETS / 16 }, (_, i) => `;n*${i}*=%41`).join("")
  }\r\n`,
  "the same part of RFC 2231 again and again": field("Content-Disposition", "a", ";n*1*=x''"),
  "comments in a value": field("Content-Type", "text/plain; name=a", "()", "x"),
  "comments and blanks in a value": field("Content-Type", "text/plain; name=a ", "(x) ", "x"),
  "comments in a name": field("Content-Type", "text/plain; ", "(", "=a"),
  "quoted pairs": field("Content-Disposition", 'attachment; filename="', "\\a", '"'),
  "values that are not closed": field("Content-Type", "text/plain", ';a="'),
  "languages": field("Content-Language", "", "(a),"),
};

const LINES: Record<string, string> = {
  "lines that are no fields": "a\r\n".repeat(OCTETS / 3),
  "blanks before the colon": `X${" ".repeat(OCTETS)}: y\r\n`,
  "fields without a name": ":\r\n".repeat(OCTETS / 3),
  "one field many times": "From: a@b\r\n".repeat(OCTETS / 11),
};

async function assertTaken(server: TestServer, headers: Record<string, string>): Promise<void> {
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  let messages = 0;
  for (const [what, header] of Object.entries(headers)) {
    await client.append("INBOX", `${header}X-End: yes\r\n\r\nend\r\n`)
      .catch((error) => assert.fail(`${what}: ${error.message}`));
    messages++;
    await using other = await RawConnection.plain(server.port);
    assert.match(await other.line() ?? "", /^\* OK /, what);
  }
  await client.ok("SELECT INBOX");
  // Everything else that reads headers, once over all of them.
  for (
    const command of [
      "FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW)",
      "SEARCH HEADER X-End yes",
      "SEARCH TEXT nowhere",
      "SORT (SUBJECT FROM DATE) UTF-8 ALL",
      "THREAD REFERENCES UTF-8 ALL",
    ]
  ) await client.ok(command);
  const [status] = await client.ok("STATUS INBOX (MESSAGES)");
  assert.equal(status, `* STATUS INBOX (MESSAGES ${messages})`);
}

const KINDS = { IDS, WORDS, ADDRESSES, DATES, PARAMETERS, LINES };

for (const [kind, headers] of Object.entries(KINDS)) {
  Deno.test(`hostile header: ${kind.toLowerCase()} of a megabyte are read in linear time`, async () => {
    await using server = await startServer();
    await assertTaken(server, headers);
  });
}
