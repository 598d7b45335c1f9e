/** The messages of the demo, with dates relative to now. */

import { FLAG } from "../src/store/store.ts";

/** One message to put into a mailbox. */
export interface DemoMessage {
  readonly mailbox: string;
  readonly text: Uint8Array;
  /** Bits of `FLAG`. */
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly date: Date;
}

/** Mailboxes beside those that every account gets. */
export const DEMO_MAILBOXES: readonly string[] = ["Lists/maildir-users", "Projects/2026"];

const ME = "Demo User <demo@example.org>";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Draft {
  readonly mailbox?: string;
  /** Milliseconds before now. */
  readonly age: number;
  readonly flags?: number;
  readonly keywords?: readonly string[];
  readonly id: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** All messages, oldest first. */
export function demoMessages(now: Date): DemoMessage[] {
  return [...drafts(now)].sort((a, b) => b.age - a.age).map((draft) => {
    const date = new Date(now.getTime() - draft.age);
    const headers = [
      ...draft.headers,
      `Date: ${mailDate(date)}`,
      `Message-ID: ${messageId(draft.id)}`,
      "MIME-Version: 1.0",
    ];
    return {
      mailbox: draft.mailbox ?? "INBOX",
      text: new TextEncoder().encode(wire(`${headers.join("\n")}\n${draft.body}`)),
      flags: draft.flags ?? 0,
      keywords: draft.keywords ?? [],
      date,
    };
  });
}

function drafts(now: Date): Draft[] {
  return [...correspondence(now), ...thread(), ...folders()];
}

function correspondence(now: Date): Draft[] {
  return [
    {
      id: "welcome",
      age: 9 * DAY,
      flags: FLAG.seen | FLAG.flagged,
      headers: ["From: imapd <postmaster@example.org>", `To: ${ME}`, "Subject: Welcome to imapd"],
      body: alternative(
        "Welcome!\n\nThis mailbox is a plain Maildir. Any program may deliver into its new/\n" +
          "folder, and an idling client hears of it at once.\n",
        "<h1>Welcome!</h1><p>This mailbox is a plain <b>Maildir</b>. Any program may deliver into " +
          "its <code>new/</code> folder, and an idling client hears of it at once.</p>",
      ),
    },
    {
      id: "invoice",
      age: 6 * DAY + 3 * HOUR,
      flags: FLAG.seen,
      headers: [
        "From: Billing <billing@hosting.example>",
        `To: ${ME}`,
        "Subject: Your invoice 2026-0117",
      ],
      body: mixed(
        text("Dear customer,\n\nyour invoice for one small server is attached.\n\nThank you!\n"),
        attachment("application/pdf", "invoice-2026-0117.pdf", pdf("Invoice 2026-0117: EUR 4.50")),
      ),
    },
    {
      id: "logo",
      age: 5 * DAY,
      flags: FLAG.seen | FLAG.answered,
      headers: [
        "From: =?UTF-8?Q?Zo=C3=AB_Br=C3=BCckner?= <zoe@design.example>",
        `To: ${ME}`,
        "Subject: =?UTF-8?B?TmV1ZXMgTG9nbyDigJMgenVyIFByw7xmdW5n?=",
      ],
      body: mixed(
        text("Hallo,\n\nanbei der zweite Entwurf. Gefällt dir das Blau?\n\nGrüße\nZoë\n"),
        attachment("image/png", "logo-entwurf-2.png", PNG),
      ),
    },
    {
      id: "japanese",
      age: 4 * DAY + 7 * HOUR,
      flags: FLAG.seen,
      headers: [
        "From: =?ISO-2022-JP?B?GyRCOzNFRBsoQiAbJEJCQE86GyhC?= <taro@example.jp>",
        `To: ${ME}`,
        "Subject: =?UTF-8?B?5p2x5Lqs44Gn44Gu5Lya6K2w?=",
      ],
      body: text("来週の東京での会議について、資料をお送りします。\nよろしくお願いいたします。\n"),
    },
    {
      id: "raw-utf8",
      age: 3 * DAY + 2 * HOUR,
      headers: [
        "From: José Núñez <jose@correo.example>",
        `To: ${ME}`,
        "Subject: ¿Comemos mañana? 🌮",
      ],
      body: text("¡Hola!\n\n¿Te va bien a las dos en el sitio de siempre?\n\nJosé\n"),
    },
    {
      id: "forward",
      age: 2 * DAY + 5 * HOUR,
      headers: [
        "From: Ada <ada@example.org>",
        `To: ${ME}`,
        "Subject: Fwd: Change of the meeting room",
      ],
      body: mixed(
        text("See below, we have moved again.\n\nAda\n"),
        'Content-Type: message/rfc822\nContent-Disposition: attachment; filename="room.eml"\n\n' +
          "From: Facilities <facilities@example.org>\nTo: all@example.org\n" +
          `Date: ${mailDate(new Date(now.getTime() - 2 * DAY - 6 * HOUR))}\n` +
          `Message-ID: ${messageId("room")}\nSubject: Change of the meeting room\n` +
          `MIME-Version: 1.0\n${text("The weekly meeting is in room 2.14 from now on.\n")}`,
      ),
    },
    {
      id: "invite",
      age: 1 * DAY + 4 * HOUR,
      flags: FLAG.flagged,
      headers: [
        "From: Ada <ada@example.org>",
        `To: ${ME}`,
        "Subject: Invitation: Release planning",
      ],
      body: multipart("alternative", "invite", [
        text("Release planning, one hour, room 2.14.\n"),
        `Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\n${calendar(now)}`,
      ]),
    },
    {
      id: "newest",
      age: 20 * 60_000,
      headers: ["From: Ada <ada@example.org>", `To: ${ME}`, "Subject: Lunch?"],
      body: text("In ten minutes, downstairs?\n"),
    },
  ];
}

/** Four messages that a client shows as one conversation; ours are in Sent. */
function thread(): Draft[] {
  const subject = "Maildir or mbox?";
  const step = (n: number, from: string, to: string, age: number, body: string): Draft => {
    const earlier = Array.from({ length: n - 1 }, (_, i) => messageId(`thread-${i + 1}`));
    const mine = from === ME;
    return {
      id: `thread-${n}`,
      age,
      mailbox: mine ? "Sent" : "INBOX",
      flags: mine || n === 1 ? FLAG.seen | (n === 1 ? FLAG.answered : 0) : 0,
      headers: [
        `From: ${from}`,
        `To: ${to}`,
        `Subject: ${n === 1 ? "" : "Re: "}${subject}`,
        ...(n === 1 ? [] : [
          `In-Reply-To: ${earlier[earlier.length - 1]}`,
          `References: ${earlier.join("\n ")}`,
        ]),
      ],
      body: text(body),
    };
  };
  const grace = "Grace <grace@example.net>";
  return [
    step(1, grace, ME, 30 * HOUR, "Which one do you use for your archive, and why?\n"),
    step(2, ME, grace, 29 * HOUR, "> Which one do you use\n\nMaildir: one file per message.\n"),
    step(3, grace, ME, 27 * HOUR, "> one file per message\n\nIs that not slow with 100,000?\n"),
    step(4, grace, ME, 3 * HOUR, "I tried it myself now: it is not. Thanks!\n"),
  ];
}

function folders(): Draft[] {
  return [
    {
      id: "list-1",
      mailbox: "Lists/maildir-users",
      age: 8 * DAY,
      keywords: ["$label1"],
      headers: [
        "From: Linus <linus@lists.example>",
        "To: maildir-users@lists.example",
        "List-Id: Users of Maildir <maildir-users.lists.example>",
        "List-Unsubscribe: <mailto:maildir-users-leave@lists.example>",
        "Precedence: list",
        "Subject: [maildir-users] Colons in file names",
      ],
      body: text("Does anybody know a file system that cannot hold them?\n"),
    },
    {
      id: "archived",
      mailbox: "Archive",
      age: 60 * DAY,
      flags: FLAG.seen,
      headers: ["From: Ada <ada@example.org>", `To: ${ME}`, "Subject: Notes of the kick-off"],
      body: text("1. We build it.\n2. We test it.\n3. We ship it.\n"),
    },
    {
      id: "draft",
      mailbox: "Drafts",
      age: 2 * HOUR,
      flags: FLAG.seen | FLAG.draft,
      headers: [`From: ${ME}`, "To: Ada <ada@example.org>", "Subject: Holidays"],
      body: text("Hi Ada,\n\nI would like to take two weeks off in\n"),
    },
    {
      id: "plan",
      mailbox: "Projects/2026",
      age: 12 * DAY,
      flags: FLAG.seen,
      headers: ["From: Grace <grace@example.net>", `To: ${ME}`, "Subject: Plan for the year"],
      body: text("Draft attached next week. Until then: less is more.\n"),
    },
  ];
}

function messageId(id: string): string {
  return `<${id}@demo.example.org>`;
}

function wire(text: string): string {
  return text.replaceAll("\n", "\r\n");
}

function mailDate(date: Date): string {
  return date.toUTCString().replace("GMT", "+0000");
}

/** Headers and body of a text part, 8-bit. */
function text(body: string): string {
  return `Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${body}`;
}

function alternative(plain: string, html: string): string {
  return multipart("alternative", "alternative", [
    text(plain),
    `Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<html>${html}</html>\n`,
  ]);
}

function mixed(...parts: string[]): string {
  return multipart("mixed", "mixed", parts);
}

function multipart(subtype: string, name: string, parts: readonly string[]): string {
  const boundary = `=_${name}_imapd`;
  const body = parts.map((part) => `--${boundary}\n${part}\n`).join("");
  return `Content-Type: multipart/${subtype}; boundary="${boundary}"\n\n${body}--${boundary}--\n`;
}

function attachment(type: string, name: string, base64: string): string {
  return `Content-Type: ${type}; name="${name}"\nContent-Transfer-Encoding: base64\n` +
    `Content-Disposition: attachment; filename="${name}"\n\n${
      (base64.match(/.{1,76}/g) ?? []).join("\n")
    }\n`;
}

/** One page with one line, as base64. */
function pdf(line: string): string {
  const stream = `BT /F1 18 Tf 72 720 Td (${line}) Tj ET`;
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
    `<</Length ${stream.length}>>\nstream\n${stream}\nendstream`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
  ];
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const start = file.length;
  file += `xref\n0 6\n0000000000 65535 f \n${offsets.join("")}`;
  return btoa(`${file}trailer\n<</Size 6/Root 1 0 R>>\nstartxref\n${start}\n%%EOF\n`);
}

function calendar(now: Date): string {
  const stamp = (date: Date) => date.toISOString().replace(/[-:]|\.\d+/g, "");
  const start = new Date(now.getTime() + 2 * DAY);
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//imapd//demo//EN",
    "METHOD:REQUEST",
    "BEGIN:VEVENT",
    "UID:release-planning@demo.example.org",
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(start)}`,
    `DTEND:${stamp(new Date(start.getTime() + HOUR))}`,
    "ORGANIZER:mailto:ada@example.org",
    "ATTENDEE;RSVP=TRUE:mailto:demo@example.org",
    "SUMMARY:Release planning",
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\n");
}

/** A picture of 48 by 48 pixels. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAADAAAAAwCAIAAADYYG7QAAAAuklEQVR42u3YSwqAMAwE0NzHq3k4zya4cFW3gorJ" +
  "tE1HnJKl1of0k8TWbacKE0gggU4xzcttZIOeHE1k1okCs6wrBWBZjsZvsjSN02SZGo/JKjXlMipNIKg4RmNQpQY2" +
  "hUGvn3SaYiCPxr+2QqYAKLpyX59vBvLv8DYgbHbsFRwEaLCfJJBAvwWN3PZ0B+Nnro6Rlytd+sGYoNGlsIxJPl0Z" +
  "xFgoMpbSjM0GxnYMacOKtKWnLqxAAkXiAKa4sLHYq0A3AAAAAElFTkSuQmCC";
