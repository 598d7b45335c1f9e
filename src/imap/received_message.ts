/** Messages on their way from a client to the store. */

import { HeaderOctets } from "../message/header_octets.ts";
import { BinaryParts } from "../message/binary_parts.ts";
import { Pace } from "../pace.ts";
import type { IncomingMessage } from "../store/store.ts";
import type { AppendMessage, MessagePart } from "../wire/append_grammar.ts";
import { SyntaxFault } from "../wire/scanner.ts";
import { Refusal } from "./command.ts";

/** A message that is handed to the store while it arrives, part after part. */
export class ReceivedMessage {
  /** Why the store could not take it; the rest of its bytes was thrown away. */
  failure: unknown;
  /** It is in a mailbox now; until then whoever received it must abort it. */
  stored = false;
  /** Octets that the client gave it so far. */
  #size = 0;
  #parts = 0;
  #copied = 0;
  #ended = false;
  readonly #pace = new Pace();
  readonly #binary: BinaryParts | undefined;
  readonly #header: HeaderOctets | undefined;

  /**
   * @param limit octets
   * @param form `binary`: it may hold binary content; `utf8`: its header may hold UTF-8
   */
  constructor(
    readonly incoming: IncomingMessage,
    private readonly limit: number,
    form: { readonly binary: boolean; readonly utf8: boolean },
  ) {
    this.#binary = form.binary ? new BinaryParts() : undefined;
    this.#header = form.utf8 ? undefined : new HeaderOctets();
  }

  /** Octets that came from elsewhere than the client. */
  get copied(): number {
    return this.#copied;
  }

  /** How many of its parts have come, or are coming. */
  get parts(): number {
    return this.#parts;
  }

  /** The next part comes by {@link write}. @throws {Refusal} if so many octets are too many */
  expect(octets: number): void {
    this.#parts++;
    this.#count(octets);
  }

  /** Takes octets of the announced part. Never throws: the client sends them all in any case. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await this.#pass(chunk);
    } catch (error) {
      this.failure = error;
    }
    // What has come already would else be taken in at once, before other clients have their turn.
    if (this.#pace.due()) await this.#pace.turn();
  }

  /**
   * Adds a part that does not come from the client.
   *
   * @param room octets that all such parts may have
   * @throws {Refusal} if it is too large
   */
  async add(octets: AsyncIterable<Uint8Array>, room = Infinity): Promise<void> {
    this.#parts++;
    for await (const piece of octets) {
      this.#copied += piece.length;
      if (this.#copied > room) throw tooBig(this.limit);
      this.#count(piece.length);
      await this.#pass(piece);
    }
  }

  /** All parts are there. @throws what the store refused it for; {Refusal} if it is empty */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.failure !== undefined) throw this.failure;
    if (this.#size === 0) throw emptyMessage();
    if (this.#header?.eightBit) throw eightBitHeader();
    const rest = this.#binary?.end();
    if (rest !== undefined && rest.length > 0) await this.incoming.write(rest);
  }

  /** All parts are there, but other messages come first. @throws as {@link end} */
  async rest(): Promise<void> {
    if (this.#ended) return;
    await this.end();
    await this.incoming.rest();
  }

  #count(octets: number): void {
    this.#size += octets;
    if (this.#size > this.limit) throw tooBig(this.limit);
  }

  async #pass(chunk: Uint8Array): Promise<void> {
    this.#header?.push(chunk);
    const bytes = this.#binary === undefined ? chunk : this.#binary.push(chunk);
    if (bytes.length > 0) await this.incoming.write(bytes);
  }
}

/** @see RFC 3502 §6.3.11 */
export function emptyMessage(): Refusal {
  return new Refusal("A message without any octet cancels the command");
}

/** @see RFC 6855 §4 */
function eightBitHeader(): Refusal {
  return new Refusal("Header fields with other than ASCII need ENABLE UTF8=ACCEPT first", "CANNOT");
}

function tooBig(limit: number): Refusal {
  return new Refusal(`A message may have at most ${limit} octets`, "TOOBIG");
}

/** The message that a literal of this one was given to, if it had any yet. */
export function receivedOf({ parts }: AppendMessage): ReceivedMessage | undefined {
  for (const part of parts) {
    if (part.kind !== "text") continue;
    const { literal } = part;
    if ("message" in literal && literal.message instanceof ReceivedMessage) return literal.message;
    throw new SyntaxFault("Expected a message as a literal", 0);
  }
}

/** Parts that were read but are not in the message yet; all of them are URLs. */
export function partsLeft(
  { parts }: AppendMessage,
  received: ReceivedMessage,
): readonly MessagePart[] {
  return parts.slice(received.parts);
}
