/** Mail that the client tests send to and fro. */

/** A short plain message; `number` is in its subject and Message-ID. */
export function letter(number: number, subject = `Letter ${number}`): string {
  return [
    "From: Ada Example <ada@example.org>",
    "To: Ben Example <ben@example.net>",
    `Subject: ${subject}`,
    "Date: Mon, 02 Feb 2026 10:00:00 +0100",
    `Message-ID: <letter-${number}@example.org>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    `This is letter number ${number}.`,
    "Grüße aus Zürich.",
    "",
  ].join("\r\n");
}

/** The bytes of the attachment in {@link withAttachment}: every byte once. */
export const ATTACHMENT = Uint8Array.from({ length: 256 }, (_, i) => i);

/** A multipart message with a text and {@link ATTACHMENT} as `bytes.bin`. */
export function withAttachment(): string {
  return [
    "From: =?utf-8?Q?J=C3=BCrgen?= <juergen@example.org>",
    "To: undisclosed-recipients:;",
    "Subject: =?utf-8?B?RWluIEFuaGFuZw==?=",
    "Date: Tue, 03 Feb 2026 11:30:00 +0100",
    "Message-ID: <attachment@example.org>",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="=_b"',
    "",
    "--=_b",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "See the attachment.",
    "--=_b",
    'Content-Type: application/octet-stream; name="bytes.bin"',
    "Content-Transfer-Encoding: base64",
    'Content-Disposition: attachment; filename="bytes.bin"',
    "",
    ...(btoa(String.fromCharCode(...ATTACHMENT)).match(/.{1,76}/g) ?? []),
    "--=_b--",
    "",
  ].join("\r\n");
}

/** Compares texts without their kind of line end. */
export function withoutCr(text: string): string {
  return text.replaceAll("\r\n", "\n");
}
