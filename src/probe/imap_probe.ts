/** Does with an IMAP server what a mail program does first. */

import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import { lookAtCertificate, type WantedCertificate } from "./certificate_look.ts";
import { LineChannel, type Route } from "./line_channel.ts";
import { Findings, type Outcome, reasonOf } from "./outcome.ts";

/** One address of an `[[imap]]` endpoint. */
export interface ImapTarget {
  /** As the config spells it. */
  readonly url: string;
  readonly route: Route;
  readonly tls: "implicit" | "starttls" | "none";
  /** Connections from here are taken for those of a proxy. */
  readonly proxy?: { readonly tls: boolean };
  readonly certificate: WantedCertificate;
}

/** What the client has and knows. */
export interface ProbeOptions {
  /** Absent: nobody logs in. */
  readonly user?: { readonly name: string; readonly password: string };
  /** PEM of authorities beside the well-known ones. */
  readonly authorities: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Tries everything in order, up to the first thing that cannot be got over. */
export async function probeImap(target: ImapTarget, options: ProbeOptions): Promise<Outcome[]> {
  const findings = new Findings(target.url);
  let channel: LineChannel;
  let secured: TLSSocket | undefined;
  try {
    ({ channel, secured } = await opened(target, options));
  } catch (error) {
    findings.failed(
      "connection",
      reasonOf(error),
      "is the server running? See systemctl status imapd, and its log",
    );
    return findings.outcomes;
  }
  const probe = new ImapProbe(target, options, channel, findings, secured);
  try {
    await probe.run();
  } catch (error) {
    findings.failed(probe.step, reasonOf(error), "the server's log says more");
  } finally {
    channel.close();
  }
  return findings.outcomes;
}

/** Over TLS at once, where nothing comes before it. */
async function opened(
  { route, tls, proxy, certificate }: ImapTarget,
  { authorities }: ProbeOptions,
): Promise<{ readonly channel: LineChannel; readonly secured?: TLSSocket }> {
  if (route.kind === "unix" || tls !== "implicit" || proxy !== undefined) {
    return { channel: await LineChannel.open(route) };
  }
  const { channel, socket } = await LineChannel.openSecure(
    route,
    certificate.hostname,
    authorities,
  );
  return { channel, secured: socket };
}

interface Reply {
  readonly status: string;
  readonly text: string;
  readonly untagged: readonly string[];
}

class ImapProbe {
  /** What is being done. */
  step = "connection";
  #tag = 0;
  #capabilities: readonly string[] = [];

  constructor(
    private readonly target: ImapTarget,
    private readonly options: ProbeOptions,
    private readonly channel: LineChannel,
    private readonly findings: Findings,
    private readonly secured: TLSSocket | undefined,
  ) {}

  async run(): Promise<void> {
    const { tls } = this.target;
    await this.#introduceProxy();
    if (tls === "implicit") await this.#secure();
    if (!await this.#greeted()) return;
    if (tls === "starttls" && !await this.#startTls()) return;
    await this.#askCapabilities();
    if (this.options.user !== undefined && await this.#login(this.options.user)) {
      await this.#selectInbox();
    }
    this.step = "logout";
    const { status } = await this.#command("LOGOUT");
    if (status !== "OK") this.findings.failed("logout", `answered ${status}`);
  }

  async #introduceProxy(): Promise<void> {
    const { proxy, certificate } = this.target;
    if (proxy === undefined) return;
    this.step = "proxy";
    if (proxy.tls) await this.channel.secure(certificate.hostname, this.options.authorities);
    // The version of the protocol in which a proxy may speak for itself.
    this.channel.write("PROXY UNKNOWN");
    this.findings.ok("proxy", "is taken as one of proxy_protocol.trust: a PROXY header was sent");
  }

  async #secure(): Promise<void> {
    this.step = "TLS";
    const { certificate } = this.target;
    const { authorities, now } = this.options;
    const socket = this.secured ??
      await this.channel.secure(certificate.hostname, authorities);
    lookAtCertificate(socket, certificate, this.findings, now);
  }

  async #greeted(): Promise<boolean> {
    this.step = "greeting";
    const line = await this.channel.line();
    if (line.startsWith("* OK ")) {
      this.findings.ok("greeting", shown(line.slice(5).replace(/^\[[^\]]*\] ?/, "")));
      return true;
    }
    const advice = line.startsWith("* BYE")
      ? "the server turns clients away: see limits.connections, and its log"
      : "does another program listen there?";
    this.findings.failed("greeting", `is ${shown(line)}`, advice);
    return false;
  }

  async #startTls(): Promise<boolean> {
    this.step = "STARTTLS";
    await this.#readCapabilities();
    if (!this.#capabilities.includes("STARTTLS")) {
      this.findings.failed("STARTTLS", "is not offered", "is that the config of this server?");
      return false;
    }
    const { status, text } = await this.#command("STARTTLS");
    if (status !== "OK") {
      this.findings.failed("STARTTLS", `was answered ${status} ${shown(text)}`);
      return false;
    }
    await this.#secure();
    return true;
  }

  async #askCapabilities(): Promise<void> {
    this.step = "CAPABILITY";
    await this.#readCapabilities();
    const mechanisms = this.#capabilities.filter((each) => each.startsWith("AUTH="))
      .map((each) => each.slice(5));
    if (!this.#capabilities.some((each) => /^IMAP4rev[12]$/i.test(each))) {
      return this.findings.failed("CAPABILITY", "has no IMAP4rev1", "is that an IMAP server?");
    }
    const ways = mechanisms.length > 0
      ? `login by ${mechanisms.join(", ")}`
      : "no login without TLS";
    this.findings.ok("CAPABILITY", `${this.#capabilities.length} capabilities, ${ways}`);
  }

  async #login({ name, password }: { name: string; password: string }): Promise<boolean> {
    this.step = "login";
    if (!this.#capabilities.includes("AUTH=PLAIN")) {
      this.findings.note("login", "was not tried: no passwords are taken here");
      return false;
    }
    const response = Buffer.from(`\0${name}\0${password}`, "utf8").toString("base64");
    const { status, text } = await this.#command(`AUTHENTICATE PLAIN ${response}`);
    if (status === "OK") {
      this.findings.ok("login", `as ${name}`);
      return true;
    }
    const advice = /^\[UNAVAILABLE\]/.test(text)
      ? "whoever checks passwords could not be asked: the server's log says why"
      : "is the password right? imapd user list shows who there is, imapd user passwd NAME sets " +
        "another one";
    this.findings.failed("login", `as ${name}: ${status} ${shown(text)}`, advice);
    return false;
  }

  async #selectInbox(): Promise<void> {
    this.step = "INBOX";
    const { status, text, untagged } = await this.#command("SELECT INBOX");
    const count = untagged.map((line) => /^\* (\d+) EXISTS$/.exec(line)?.[1]).find(Boolean);
    if (status === "OK" && count !== undefined) {
      return this.findings.ok("INBOX", `has ${count} ${count === "1" ? "message" : "messages"}`);
    }
    this.findings.failed(
      "INBOX",
      `SELECT was answered ${status} ${shown(text)}`,
      "can the server's user read and write the Maildir? The log says more",
    );
  }

  async #readCapabilities(): Promise<void> {
    const { untagged } = await this.#command("CAPABILITY");
    const line = untagged.find((each) => each.startsWith("* CAPABILITY ")) ?? "";
    this.#capabilities = line.split(" ").slice(2);
  }

  async #command(text: string): Promise<Reply> {
    const tag = `c${++this.#tag}`;
    this.channel.write(`${tag} ${text}`);
    const untagged: string[] = [];
    for (;;) {
      const line = await this.channel.line();
      if (!line.startsWith(`${tag} `)) {
        untagged.push(line);
        continue;
      }
      const [, status, rest] = /^\S+ (\S+) ?(.*)$/.exec(line) ?? [line, "", ""];
      return { status, text: rest, untagged };
    }
  }
}

/** What a server said must not steer the terminal. */
function shown(text: string): string {
  return text.replace(/[^ -~]/g, "?").slice(0, 200);
}
