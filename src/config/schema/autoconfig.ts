/** Settings of `[autoconfig]`: forms by which mail programs set themselves up. */

import { address } from "../addresses.ts";
import { choice, hostname, list } from "../kinds.ts";
import { type Kind, optional, required, type Section, setting, wrong } from "../setting.ts";
import type { TomlValue } from "../toml.ts";

/** A server as clients reach it; `tls` is TLS from the first byte, else it is STARTTLS. */
export interface ClientServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const URLS = '"tls://HOST:PORT" (TLS from the first byte) or "tcp://HOST:PORT" (STARTTLS)';

/** One server or several. */
function servers(): Kind<readonly ClientServer[]> {
  const expected = `${URLS}, or a list of such`;
  return {
    name: "servers",
    expected,
    read(value, key, reading) {
      const items = value.type === "list" ? value.items : [value];
      if (items.length === 0) return wrong(reading, value, key, expected);
      const read = items.map((item) => serverOf(item) ?? wrong(reading, item, key, expected));
      return read.every((each) => each !== undefined) ? read as ClientServer[] : undefined;
    },
  };
}

function serverOf(value: TomlValue): ClientServer | undefined {
  return value.type === "string" ? clientServerOf(value.value) : undefined;
}

/** Reads `tls://HOST:PORT` or `tcp://HOST:PORT`; undefined where it is neither. */
export function clientServerOf(text: string): ClientServer | undefined {
  const [, scheme, host, digits] = /^(tls|tcp):\/\/([A-Za-z0-9.-]{1,253}):(\d{1,5})$/.exec(text) ??
    [];
  const port = Number(digits);
  if (scheme === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port, tls: scheme === "tls" };
}

/** The `[autoconfig]` table. */
export const autoconfig = {
  listen: required(list(address(), 1), {
    doc:
      "Addresses to serve the forms on by HTTP, written as in `[[imap]]`: `tcp://` for a web server " +
      "in front, `tls://` with the top-level `tls`. Clients ask `https://autoconfig.DOMAIN` and " +
      "`https://autodiscover.DOMAIN` at port 443.",
    example: '["tcp://127.0.0.1:8080"]',
  }),
  domains: setting(list(hostname()), {
    default: "[]",
    doc: "Domains whose addresses get an answer. The default is any. Whether there is such an " +
      "address does not matter: all of a domain get the same.",
    example: '["example.org"]',
  }),
  smtp: optional(servers(), {
    doc:
      "Where clients send mail, best first: `tls://HOST:PORT` is TLS from the first byte, `tcp://` " +
      "STARTTLS. The default is port 465 of `hostname`, with TLS.",
    example: '"tls://mail.example.org:465"',
  }),
  imap: optional(servers(), {
    sample: '"tls://mail.example.org:993"',
    doc: "Where clients read mail. The default follows from `hostname` and what the endpoints " +
      "listen on.",
  }),
  username: setting(choice(["address", "local_part"]), {
    default: '"address"',
    doc: "What users log in with: their whole address, or what stands before its `@`.",
  }),
} satisfies Section;
