/** A client's commands and what they do; knows no socket. */

import type { Delivery } from "../delivery/delivery.ts";
import type { Log } from "../log.ts";
import {
  clientName,
  CommandFault,
  type CommandLine,
  commandLine,
  path,
} from "./command_grammar.ts";
import { type Reply, reply } from "./reply.ts";
import { Reception, tooBig, type Transaction } from "./transaction.ts";

/** Bounds of one endpoint; each is a setting under `limits` of the config. */
export interface LmtpLimits {
  /** Octets of a message. */
  readonly message: number;
  /** Recipients of a message. */
  readonly recipients: number;
  /** Connections at once. */
  readonly connections: number;
  /** Milliseconds without an octet. */
  readonly idle: number;
  /** Milliseconds from the first octet of a command line to its end. */
  readonly command: number;
  /** Milliseconds from DATA to the end of the message. */
  readonly data: number;
}

/** What all sessions of an endpoint share. */
export interface LmtpService {
  readonly delivery: Delivery;
  readonly limits: LmtpLimits;
  /** Accounts are made for recipients that have none. */
  readonly createAccounts: boolean;
  readonly hostname: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What comes of a command line. */
export interface Answer {
  readonly reply: Reply;
  /** The message comes next. */
  readonly reception?: Reception;
  /** The connection ends after the reply. */
  readonly ends?: boolean;
}

/** What has to be there before a command. */
type Stage = "connected" | "greeted" | "sender" | "recipients";

interface Row {
  readonly after: Stage;
  run(session: LmtpSession, argument: string): Answer | Promise<Answer>;
}

const BAD_SEQUENCE: Readonly<Record<Stage, string>> = {
  connected: "",
  greeted: "Expected LHLO first",
  sender: "Expected MAIL first",
  recipients: "Expected a recipient first",
};

/** @see RFC 2033 §4.1, RFC 5321 §4.1.1 */
const COMMANDS: Readonly<Record<string, Row>> = {
  LHLO: { after: "connected", run: (session, argument) => session.greet(argument) },
  MAIL: { after: "greeted", run: (session, argument) => session.mail(argument) },
  RCPT: { after: "sender", run: (session, argument) => session.rcpt(argument) },
  DATA: { after: "recipients", run: (session, argument) => session.data(argument) },
  RSET: { after: "connected", run: (session) => session.reset() },
  NOOP: { after: "connected", run: () => ({ reply: reply(250, "2.0.0", "OK") }) },
  VRFY: { after: "connected", run: () => ({ reply: reply(252, "2.5.0", "Try RCPT") }) },
  HELP: { after: "connected", run: () => ({ reply: reply(214, "2.0.0", "See RFC 2033") }) },
  QUIT: {
    after: "connected",
    run: () => ({ reply: reply(221, "2.0.0", "Bye"), ends: true }),
  },
  // Its octets would come next, and be taken for commands.
  BDAT: {
    after: "connected",
    run: () => ({ reply: reply(502, "5.5.1", "CHUNKING is not offered"), ends: true }),
  },
};

/** The state of one connection. */
export class LmtpSession {
  #client: string | undefined;
  #transaction: Transaction | undefined;
  #messages = 0;

  /** @param id the field `conn` of its log lines */
  constructor(
    private readonly service: LmtpService,
    private readonly log: Log,
    private readonly id: string,
    private readonly remote: string,
  ) {}

  /** Carries out one command line. */
  async answer(line: Uint8Array): Promise<Answer> {
    try {
      return await this.#run(commandLine(line));
    } catch (error) {
      if (!(error instanceof CommandFault)) throw error;
      return { reply: error.reply, ends: this.#client === undefined };
    }
  }

  /** The message of the transaction is through. */
  completed(): void {
    this.#transaction = undefined;
  }

  async #run({ verb, argument }: CommandLine): Promise<Answer> {
    const row = Object.hasOwn(COMMANDS, verb) ? COMMANDS[verb] : undefined;
    // Who does not begin with LHLO speaks something else, such as HTTP with mail in it.
    const ends = this.#client === undefined;
    if (row === undefined) {
      return { reply: reply(500, "5.5.1", "Expected a command of LMTP"), ends };
    }
    if (!this.#reached(row.after)) {
      return { reply: reply(503, "5.5.1", BAD_SEQUENCE[row.after]), ends };
    }
    return await row.run(this, argument);
  }

  #reached(stage: Stage): boolean {
    switch (stage) {
      case "connected":
        return true;
      case "greeted":
        return this.#client !== undefined;
      case "sender":
        return this.#transaction !== undefined;
      case "recipients":
        return (this.#transaction?.recipients.length ?? 0) > 0;
    }
  }

  /** @see RFC 2033 §4.1, §5 */
  greet(argument: string): Answer {
    const client = clientName(argument);
    if (client === undefined) throw new CommandFault(reply(501, "5.5.4", "Expected LHLO HOSTNAME"));
    this.#client = client;
    this.#transaction = undefined;
    const text = [
      this.service.hostname,
      "PIPELINING",
      `SIZE ${this.service.limits.message}`,
      "8BITMIME",
      "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
    ];
    return { reply: { code: 250, text } };
  }

  /** @see RFC 5321 §4.1.1.2, RFC 1870 §6, RFC 6152 §2, RFC 6531 §3.4 */
  mail(argument: string): Answer {
    if (this.#transaction !== undefined) {
      return { reply: reply(503, "5.5.1", "Expected the end of the message before another MAIL") };
    }
    const { address, parameters } = path("FROM", argument);
    for (const [name, value] of parameters) {
      const fits = MAIL_PARAMETERS[name];
      if (fits === undefined) throw unknownParameter();
      if (!fits.test(value)) throw new CommandFault(reply(501, "5.5.4", `Bad value of ${name}`));
    }
    const { message } = this.service.limits;
    if (Number(parameters.get("SIZE") ?? 0) > message) return { reply: tooBig(message) };
    this.#transaction = { sender: address, utf8: parameters.has("SMTPUTF8"), recipients: [] };
    return { reply: reply(250, "2.1.0", "OK") };
  }

  /** @see RFC 5321 §4.1.1.3 */
  async rcpt(argument: string): Promise<Answer> {
    const { address, parameters } = path("TO", argument);
    if (parameters.size > 0) throw unknownParameter();
    const { limits, delivery, createAccounts } = this.service;
    const recipients = this.#transaction?.recipients ?? [];
    if (recipients.length >= limits.recipients) {
      return { reply: reply(452, "4.5.3", "Too many recipients") };
    }
    let recipient;
    try {
      recipient = await delivery.recipient(address, createAccounts);
    } catch (error) {
      this.log.error("recipient cannot be looked up", { to: address, error: String(error) });
      return { reply: reply(451, "4.3.0", "The recipient cannot be looked up now") };
    }
    if (recipient === undefined) {
      this.log.info("recipient refused", { to: address, from: this.#transaction?.sender });
      return { reply: reply(550, "5.1.1", "No such recipient here") };
    }
    recipients.push(recipient);
    return { reply: reply(250, "2.1.5", "OK") };
  }

  /** @see RFC 5321 §4.1.1.4 */
  async data(argument: string): Promise<Answer> {
    if (argument !== "") throw new CommandFault(reply(501, "5.5.4", "Expected DATA alone"));
    const transaction = this.#transaction;
    if (transaction === undefined) throw new Error("Expected a transaction");
    const { delivery, limits, now } = this.service;
    const reception = await Reception.begin(delivery, transaction, {
      from: this.#client,
      remote: this.remote,
      protocol: transaction.utf8 ? "UTF8LMTP" : "LMTP",
      id: `${this.id}.${++this.#messages}`,
      time: now(),
    }, limits.message);
    return { reply: { code: 354, text: "End the message with a line of one dot" }, reception };
  }

  reset(): Answer {
    this.#transaction = undefined;
    return { reply: reply(250, "2.0.0", "OK") };
  }
}

const MAIL_PARAMETERS: Readonly<Record<string, RegExp | undefined>> = {
  SIZE: /^\d{1,20}$/,
  BODY: /^(7BIT|8BITMIME)$/i,
  SMTPUTF8: /^$/,
};

/** @see RFC 5321 §4.1.1.11 */
function unknownParameter(): CommandFault {
  return new CommandFault(reply(555, "5.5.4", "Unknown parameter"));
}
