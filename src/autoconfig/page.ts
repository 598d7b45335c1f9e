/** The page by which people get the profile for their phone. */

import type { ClientSettings, MailAddress, MailServer } from "./client_settings.ts";
import { usernameOf } from "./client_settings.ts";
import { escaped } from "./xml.ts";

const STYLE =
  "body{font:1em/1.5 system-ui,sans-serif;max-width:34em;margin:2em auto;padding:0 1em;color:#222;" +
  "background:#fff}input,button,a.get{font:inherit;padding:.5em .8em}input{width:100%;" +
  "box-sizing:border-box;margin:.3em 0 .8em}a.get{display:inline-block;background:#0a58ca;color:#fff;" +
  "text-decoration:none;border-radius:.4em}svg{width:14em;height:14em;display:block;margin:1em 0}" +
  "td,th{text-align:left;padding:.1em 1em .1em 0;vertical-align:top}";

/** Says what the page may do: nothing but show itself and send its form. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";

/** What is known when the page is made. */
export interface PageView {
  /** Absent: it is asked for. */
  readonly address?: MailAddress;
  /** Where the profile is, for a phone that reads it off a screen. */
  readonly profileUrl?: string;
  /** That URL as SVG. */
  readonly qrCode?: string;
  /** What was wrong with what was entered. */
  readonly fault?: string;
}

/** The page as HTML. */
export function settingsPage(settings: ClientSettings, view: PageView): string {
  const { address, profileUrl, qrCode, fault } = view;
  const content = address === undefined || profileUrl === undefined
    ? question(fault)
    : answer(settings, address, profileUrl, qrCode);
  const title = `Mail of ${escaped(settings.name)}`;
  return '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">' +
    `<title>${title}</title><style>${STYLE}</style></head><body><h1>${title}</h1>\n` +
    `${content}\n</body></html>\n`;
}

function question(fault: string | undefined): string {
  const said = fault === undefined ? "" : `<p role="alert">${escaped(fault)}</p>`;
  return `${said}<form method="get" action="/"><label>Your mail address` +
    '<input name="address" type="email" autocomplete="email" required></label>' +
    "<button>Show the settings</button></form>";
}

function answer(
  settings: ClientSettings,
  address: MailAddress,
  profileUrl: string,
  qrCode: string | undefined,
): string {
  const path = profileUrl.slice(profileUrl.indexOf("/apple/"));
  const rows = [
    ["Address", address.text],
    ["User name", usernameOf(settings, address)],
    ["Receiving (IMAP)", serverText(settings.imap[0])],
    ["Sending (SMTP)", serverText(settings.smtp[0])],
  ];
  return "<h2>iPhone, iPad, Mac</h2>" +
    `<p><a class="get" href="${escaped(path)}">Get the profile</a></p>` +
    (qrCode === undefined ? "" : `<p>Or scan this with the phone:</p>${qrCode}`) +
    "<p>It is not signed, and has no password: the device asks for it.</p>" +
    "<h2>Thunderbird, Android</h2><p>The address and the password are enough.</p>" +
    `<h2>Others</h2><table>${
      rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`)
        .join("")
    }</table>`;
}

function serverText({ host, port, security }: MailServer): string {
  const words = { tls: "SSL/TLS", starttls: "STARTTLS", plain: "no encryption" } as const;
  return `${host}, port ${port}, ${words[security]}`;
}
