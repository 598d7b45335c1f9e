/** A message as people send them, for the benchmarks of this folder. */

const WORDS = "report meeting lunch invoice garden server holiday photo ticket order music".split(
  " ",
);

function paragraphs(lines: number): string[] {
  return Array.from(
    { length: lines },
    (_, line) => Array.from({ length: 10 }, (_, at) => WORDS[(line * 7 + at * 3) % 11]).join(" "),
  );
}

const HEADER = [
  "Return-Path: <ann@example.org>",
  "Received: from mx.example.org (mx.example.org [192.0.2.7]) by mail.example.com with ESMTPS",
  "\tid 4XyZ123456; Mon, 2 Nov 2026 09:30:00 +0000",
  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=key; bh=abc=;",
  "\th=from:to:subject; b=AAAABBBBCCCC",
  "From: =?utf-8?Q?Ann_=C3=85berg?= <ann@example.org>",
  "To: Bob <bob@example.com>, Carol <carol@example.com>",
  "Cc: dave@example.net",
  "Subject: =?utf-8?B?UmU6IHRoZSBidWRnZXQgZsO8ciAyMDI3?=",
  "Date: Mon, 2 Nov 2026 10:30:00 +0100",
  "Message-ID: <20261102.1@example.org>",
  "In-Reply-To: <20261101.9@example.com>",
  "References: <20261101.8@example.com> <20261101.9@example.com>",
  "MIME-Version: 1.0",
];

/** The header block with its blank line, latin1, CRLF. */
export const SAMPLE_HEADER = [
  ...HEADER,
  'Content-Type: multipart/mixed; boundary="outer"',
  "",
  "",
].join("\r\n");

/** Text, HTML and an attachment, 34 KB, CRLF. */
export const SAMPLE_MESSAGE: Uint8Array<ArrayBuffer> = new TextEncoder().encode(
  SAMPLE_HEADER + [
    "--outer",
    'Content-Type: multipart/alternative; boundary="inner"',
    "",
    "--inner",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    ...paragraphs(60).map((line) => line.replace("order", "b=C3=A9b=C3=A9")),
    "--inner",
    "Content-Type: text/html; charset=utf-8",
    "",
    ...paragraphs(60).map((line) => `<p>${line}</p>`),
    "--inner--",
    "--outer",
    'Content-Type: application/pdf; name="report.pdf"',
    "Content-Transfer-Encoding: base64",
    'Content-Disposition: attachment; filename="report.pdf"',
    "",
    ...Array.from(
      { length: 300 },
      () => "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w",
    ),
    "--outer--",
    "",
  ].join("\r\n"),
);

/** The same with the line ends that files have. */
export const SAMPLE_FILE: Uint8Array<ArrayBuffer> = SAMPLE_MESSAGE.filter((octet) => octet !== 13);
