/** Plays a transcript against a server. docs/testing.md tells the language. */

import { ImapClient, quoted, type ServerAddress, Silence } from "./client.ts";
import { type Captures, Malformed, matchResponse } from "./transcript_match.ts";
import { sampleDate, sampleMessage } from "./sample_message.ts";
import { type Action, expandFixed, type Step, type Transcript } from "./transcript_format.ts";

/** The server under test. */
export interface Stage {
  readonly plain: ServerAddress;
  /** IMAP over TLS; absent if the server has none. */
  readonly tls?: ServerAddress;
  readonly password: string;
  /** How long each response may take, in milliseconds. */
  readonly patience: number;
  /** True if it is not our own server: then marked steps may differ. */
  readonly isPeer: boolean;
  /** A user whose account is still empty. */
  freshUser(): string;
  /** The folder of a user's Maildir, if this machine can see it. */
  readonly maildir?: (user: string) => string;
}

/** How a play ended that did not fail. */
export type Outcome =
  | { readonly name: "as expected"; readonly needless: readonly string[] }
  /** A marked step differed; the rest was not played. */
  | { readonly name: "differs as expected"; readonly reason: string; readonly how: string };

/** What a server announces before and after login. @throws {Error} if it does not let `user` in */
export async function capabilitiesOf(stage: Stage): Promise<ReadonlySet<string>> {
  await using client = await ImapClient.connect(stage.plain);
  const said = [await client.response(), ...(await client.command("CAPABILITY")).untagged];
  const user = stage.freshUser();
  const { reply } = await client.command(`LOGIN ${quoted(user)} ${quoted(stage.password)}`);
  if (!reply.startsWith("OK")) throw new Error(`Expected the login to work: got "${reply}"`);
  said.push(...(await client.command("CAPABILITY")).untagged);
  return new Set(said.join(" ").split(/[\s[\]]+/));
}

/** What the server lacks for this transcript. */
export function missing(
  transcript: Transcript,
  stage: Stage,
  capabilities: ReadonlySet<string>,
): readonly string[] {
  const lacks = transcript.needs.filter((need) => !capabilities.has(need));
  const delivers = transcript.steps.some((step) => step.action.name === "deliver");
  if (delivers && !stage.maildir) lacks.push("a Maildir that can be seen");
  if (transcript.connect === "tls" && !stage.tls) lacks.push("a TLS port");
  return lacks;
}

/**
 * Plays a transcript from its first to its last step.
 *
 * @throws {Error} `FILE:LINE: expected "…", got "…"` at the first step that fails
 */
export async function play(transcript: Transcript, stage: Stage): Promise<Outcome> {
  const player = new Player(transcript, stage);
  const needless: string[] = [];
  try {
    for (const step of transcript.steps) {
      try {
        await player.step(step.action);
      } catch (error) {
        if (!(error instanceof Unexpected)) throw new Error(`${place(transcript, step)}: ${error}`);
        if (step.peerDiffers === undefined || !stage.isPeer) {
          throw new Error(`${place(transcript, step)}: ${error.message}`);
        }
        return { name: "differs as expected", reason: step.peerDiffers, how: error.message };
      }
      if (step.peerDiffers !== undefined && stage.isPeer) needless.push(place(transcript, step));
    }
    return { name: "as expected", needless };
  } finally {
    await player.close();
  }
}

function place(transcript: Transcript, step: Step): string {
  return `${transcript.file}:${step.line}`;
}

/** The server did something else. */
class Unexpected extends Error {
  constructor(expected: string, got: string | undefined) {
    super(
      `expected ${shown(expected)}, got ${
        got === undefined ? "the end of the connection" : shown(got)
      }`,
    );
  }
}

/** RECENT may come whenever a server likes to tell it. @see RFC 3501 §7.3.2 */
function isSizeNews(response: string): boolean {
  return /^\* \d+ RECENT$/.test(response);
}

/** A response fit for one line of a report. */
function shown(text: string): string {
  const short = text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length} octets)` : text;
  return `"${short.replace(/\r/g, "\\r").replace(/\n/g, "\\n")}"`;
}

interface Actor {
  readonly client: ImapClient;
  /** Lines kept back to be sent in one piece with the next. */
  held: string;
  /** `...` stands before the next group. */
  any: boolean;
  forbidden: string[];
}

class Player {
  readonly #transcript: Transcript;
  readonly #stage: Stage;
  readonly #user: string;
  readonly #users = new Map<string, string>();
  readonly #actors = new Map<string, Actor>();
  readonly #captures: Captures = new Map();
  /** Messages that `fill` made so far, by mailbox. */
  readonly #filled = new Map<string, number>();
  #helper: ImapClient | undefined;

  constructor(transcript: Transcript, stage: Stage) {
    this.#transcript = transcript;
    this.#stage = stage;
    this.#user = stage.freshUser();
  }

  async step(action: Action): Promise<void> {
    switch (action.name) {
      case "fill":
        return await this.#fill(action.mailbox, action.count);
      case "append":
        return await this.#append(action.mailbox, this.#block(action.block), action.options);
      case "deliver":
        return await this.#deliver(action.mailbox, this.#block(action.block));
      case "check":
        return this.#check(action);
      case "otherUser":
        this.#users.set(action.client, this.#stage.freshUser());
        return;
      default:
        return await this.#act(await this.#actor(action.client), action);
    }
  }

  async close(): Promise<void> {
    await this.#helper?.close();
    for (const { client } of this.#actors.values()) await client.close();
  }

  async #act(actor: Actor, action: Extract<Action, { client: string }>): Promise<void> {
    switch (action.name) {
      case "send":
        return await this.#send(actor, action.client, action.text, action.hold);
      case "does":
        return await this.#does(actor, action.client, action.command);
      case "expect":
        return await this.#expect(actor, action.client, action.patterns);
      case "any":
        actor.any = true;
        return;
      case "forbid":
        actor.forbidden.push(this.#withLiterals(this.#expanded(action.pattern, action.client)));
        return;
      case "tls":
        return await actor.client.startTls();
      case "compress":
        return actor.client.compress();
      case "uncompress":
        return actor.client.uncompress();
      case "close":
        return await actor.client.close();
      case "closed":
        return await this.#expectEnd(actor);
    }
  }

  async #actor(name: string): Promise<Actor> {
    const known = this.#actors.get(name);
    if (known) return known;
    const { connect, login } = this.#transcript;
    const tls = connect === "tls" ? this.#stage.tls : undefined;
    const client = await ImapClient.connect(tls ?? this.#stage.plain, tls ? "tls" : "plain");
    const actor: Actor = { client, held: "", any: false, forbidden: [] };
    this.#actors.set(name, actor);
    if (connect === "starttls") {
      await client.response();
      await accepted(client, "STARTTLS");
      await client.startTls();
      if (login) await accepted(client, this.#loginLine(name));
    } else if (login) {
      await client.response();
      await accepted(client, this.#loginLine(name));
    }
    return actor;
  }

  #loginLine(client: string): string {
    return `LOGIN ${quoted(this.#userOf(client))} ${quoted(this.#stage.password)}`;
  }

  #userOf(client: string): string {
    return this.#users.get(client) ?? this.#user;
  }

  /** Sends a line; at each `{name}` it waits for the server to ask for the literal. */
  async #send(actor: Actor, name: string, text: string, hold: boolean): Promise<void> {
    actor.forbidden = [];
    let out = actor.held;
    actor.held = "";
    const line = `${this.#expanded(this.#substituted(text), name)}\r\n`;
    for (const piece of line.split(/(\{(?:[a-z]\w*|"[^"]*")\+?\})/)) {
      const literal = /^\{([a-z]\w*|"[^"]*")(\+?)\}$/.exec(piece);
      if (!literal) {
        out += piece;
        continue;
      }
      const content = this.#content(literal[1]);
      out += `{${content.length}${literal[2]}}\r\n`;
      if (literal[2] === "") {
        actor.client.send(out);
        out = "";
        const go = await this.#next(actor, "+ ...");
        if (!go?.startsWith("+ ")) throw new Unexpected("+ ...", go);
      }
      out += content;
    }
    if (hold) actor.held = out;
    else actor.client.send(out);
  }

  async #expect(actor: Actor, name: string, patterns: readonly string[]): Promise<void> {
    const left = patterns.map((pattern) => this.#withLiterals(this.#expanded(pattern, name)));
    const any = actor.any;
    actor.any = false;
    while (left.length > 0) {
      const wanted = left.join(" or ");
      const got = await this.#next(actor, wanted);
      if (got === undefined) throw new Unexpected(wanted, got);
      const at = left.findIndex((pattern) => this.#matches(pattern, got));
      if (at >= 0) left.splice(at, 1);
      else if (!isSizeNews(got) && (!any || !got.startsWith("* "))) {
        throw new Unexpected(wanted, got);
      }
    }
  }

  async #does(actor: Actor, name: string, command: string): Promise<void> {
    await this.#send(actor, name, `does ${command}`, false);
    actor.any = true;
    await this.#expect(actor, name, ["does OK ..."]);
  }

  async #expectEnd(actor: Actor): Promise<void> {
    const any = actor.any;
    actor.any = false;
    for (;;) {
      const got = await this.#next(actor, "the end of the connection");
      if (got === undefined) return;
      if (!any || !got.startsWith("* ")) throw new Unexpected("the end of the connection", got);
    }
  }

  /** The next response; what must not come is caught here. */
  async #next(actor: Actor, expected: string): Promise<string | undefined> {
    let got: string | undefined;
    try {
      got = await actor.client.response(this.#stage.patience);
    } catch (error) {
      if (error instanceof Silence) throw new Unexpected(expected, "silence");
      throw error;
    }
    const came = got;
    if (came === undefined) return undefined;
    const bad = actor.forbidden.find((pattern) => this.#matches(pattern, came));
    if (bad !== undefined) throw new Unexpected(`not ${bad}`, came);
    return came;
  }

  #matches(pattern: string, response: string): boolean {
    try {
      return matchResponse(pattern, response, this.#captures);
    } catch (error) {
      if (error instanceof Malformed) {
        throw new Unexpected(pattern, `${response}: ${error.message}`);
      }
      throw error;
    }
  }

  /** `$name` by its value, in what a client sends. */
  #substituted(text: string): string {
    return text.replace(/\$([a-z][a-z0-9]*)/g, (_, name: string) => this.#captured(name));
  }

  #captured(name: string): string {
    const value = this.#captures.get(name);
    if (value === undefined) {
      throw new Error(`Expected "$${name}" to be captured before: got no value`);
    }
    return value;
  }

  /** `%{…}` by what it stands for. */
  #expanded(text: string, client: string): string {
    const user = this.#userOf(client);
    const plain = `\0${user}\0${this.#stage.password}`;
    return expandFixed(text)
      .replace(/%\{user\}/g, () => user)
      .replace(/%\{password\}/g, () => this.#stage.password)
      .replace(/%\{plain\}/g, () => btoa(plain))
      .replace(/%\{size (\w+)\}/g, (_, name: string) => `${this.#block(name).length}`)
      .replace(/%\{([a-z][a-z0-9]*)([+-])(\d+)\}/g, (_, name: string, sign: string, by: string) => {
        return `${Number(this.#captured(name)) + Number(`${sign}${by}`)}`;
      });
  }

  /** `{name}` of an expected line as a literal, which equals any spelling of that string. */
  #withLiterals(pattern: string): string {
    return pattern.replace(/\{([a-z]\w*)\}/g, (_, name: string) => {
      const content = this.#block(name);
      return `{${content.length}}\r\n${content}`;
    });
  }

  #content(name: string): string {
    return name.startsWith('"') ? name.slice(1, -1) : this.#block(name);
  }

  #block(name: string): string {
    const sample = /^sample(\d+)$/.exec(name);
    if (sample) return sampleMessage(Number(sample[1]));
    const content = this.#transcript.blocks.get(name);
    if (content === undefined) {
      throw new Error(`Expected "given message ${name}:" before: got no such block`);
    }
    return content;
  }

  #check({ left, relation, right }: Extract<Action, { name: "check" }>): void {
    const [a, b] = [left, right].map((side) =>
      Number(this.#substituted(this.#expanded(side, "1")))
    );
    const holds = { "<": a < b, ">": a > b, "=": a === b, "!=": a !== b }[relation];
    if (!holds) throw new Unexpected(`${left} ${relation} ${right}`, `${a} and ${b}`);
  }

  async #fill(mailbox: string, count: number): Promise<void> {
    await this.#makeMailbox(mailbox);
    const before = this.#filled.get(mailbox) ?? 0;
    for (let n = before + 1; n <= before + count; n++) {
      await this.#append(mailbox, sampleMessage(n), `"${sampleDate(n)}"`);
    }
    this.#filled.set(mailbox, before + count);
  }

  async #append(mailbox: string, message: string, options: string): Promise<void> {
    await this.#makeMailbox(mailbox);
    const helper = await this.#helping();
    const { reply } = await helper.append(mailbox, message, options);
    if (!reply.startsWith("OK")) throw new Error(`Expected APPEND to work: got "${reply}"`);
  }

  /** It may be there already: then CREATE is refused, which is no matter. */
  async #makeMailbox(mailbox: string): Promise<void> {
    if (mailbox === "INBOX") return;
    await (await this.#helping()).command(`CREATE ${quoted(mailbox)}`);
  }

  async #helping(): Promise<ImapClient> {
    this.#helper ??= await ImapClient.login(this.#stage.plain, this.#user, this.#stage.password);
    return this.#helper;
  }

  /** As a delivery agent does: written under tmp/, renamed into new/. */
  async #deliver(mailbox: string, message: string): Promise<void> {
    if (!this.#stage.maildir) throw new Error("Expected a Maildir that can be seen: got none");
    // An account may have no Maildir before its INBOX was asked for.
    await (await this.#helping()).command("STATUS INBOX (MESSAGES)");
    const top = this.#stage.maildir(this.#user);
    const folder = mailbox === "INBOX" ? top : `${top}/.${mailbox.replaceAll("/", ".")}`;
    const name = `${Math.floor(Date.now() / 1000)}.${crypto.randomUUID()}.transcript`;
    await Deno.writeFile(`${folder}/tmp/${name}`, bytes(message.replaceAll("\r\n", "\n")));
    const { uid, gid } = await Deno.stat(folder);
    if (uid !== null && gid !== null && uid !== Deno.uid()) {
      await Deno.chown(`${folder}/tmp/${name}`, uid, gid);
    }
    await Deno.rename(`${folder}/tmp/${name}`, `${folder}/new/${name}`);
  }
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

async function accepted(client: ImapClient, command: string): Promise<void> {
  const { reply } = await client.command(command);
  if (!reply.startsWith("OK")) {
    throw new Error(`Expected "${command.split(" ")[0]}" to work: got "${reply}"`);
  }
}
