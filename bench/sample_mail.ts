/** Messages of usual forms for the micro-benchmarks: the same each time. */

const HEADER = [
  "Return-Path: <anna@bench.example>",
  ...[1, 2, 3].map((n) =>
    `Received: from mx${n}.bench.example (mx${n}.bench.example [192.0.2.${n}])\r\n` +
    `\tby mail.bench.example with ESMTPS id 0A1B2C3${n}\r\n` +
    "\tfor <me@bench.example>; Tue, 3 Mar 2026 10:11:12 +0100"
  ),
  `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=bench.example; s=s1;\r\n\tb=${
    "Abc+/".repeat(34)
  }`,
  "Date: Tue, 3 Mar 2026 10:11:12 +0100",
  "From: =?utf-8?B?Sm9zw6kgTsO6w7Fleg==?= <jose@bench.example>",
  "To: User 1 <t1@bench.example>, User 2 <t2@bench.example>",
  "Cc: Team <team@bench.example>",
  "In-Reply-To: <a.1@bench.example>",
  "References: <a.0@bench.example>\r\n <a.1@bench.example>",
  "Subject: Re: =?utf-8?Q?quarterly_report_=C3=A5=C3=A4=C3=B6?=",
  "Message-ID: <a.2@bench.example>",
  "MIME-Version: 1.0",
];

const LINE = "meeting budget report invoice server mailbox review draft final minutes agenda";

function lines(octets: number, end: string): string {
  const count = Math.ceil(octets / (LINE.length + end.length));
  return `${LINE}${end}`.repeat(count);
}

/** Header fields, with the empty line. */
export const SAMPLE_HEADER = `${HEADER.join("\r\n")}\r\n\r\n`;

/** A text of about so many octets. */
export function plainMessage(octets: number, end: "\r\n" | "\n" = "\r\n"): Uint8Array {
  const header = [...HEADER, "Content-Type: text/plain; charset=utf-8", "", ""].join("\r\n");
  return new TextEncoder().encode(
    header.replaceAll("\r\n", end) + lines(octets, end),
  );
}

/** A text and an attachment in base64, of about so many octets. */
export function attachedMessage(octets: number): Uint8Array {
  const base64 = `${"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk".slice(0, 38).repeat(2)}\r\n`;
  return new TextEncoder().encode([
    ...HEADER,
    'Content-Type: multipart/mixed; boundary="=_b1"',
    "",
    "--=_b1",
    "Content-Type: text/plain; charset=utf-8",
    "",
    lines(octets / 5, "\r\n"),
    "--=_b1",
    'Content-Type: application/pdf; name="report.pdf"',
    "Content-Transfer-Encoding: base64",
    "",
    base64.repeat(octets / 100),
    "--=_b1--",
    "",
  ].join("\r\n"));
}
