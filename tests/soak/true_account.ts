/** All that is in an account, as a client sees it that asks for everything. */

import type { Answer, ImapClient } from "../client.ts";
import { normalFlags } from "../model/client_model.ts";
import { isIntact, tokenOf } from "./soak_message.ts";

/** One message as it is. */
export interface TrueMessage {
  readonly token: number | undefined;
  readonly flags: string;
  readonly modseq: number;
  /** All octets are what they were. */
  readonly intact: boolean;
}

/** One mailbox as it is. */
export interface TrueMailbox {
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  readonly messages: ReadonlyMap<number, TrueMessage>;
  /** Its annotation `/private/comment`; "" if it has none. */
  readonly comment: string;
}

/** One account as it is. */
export interface TrueAccount {
  readonly mailboxes: readonly TrueMailbox[];
  readonly subscribed: ReadonlySet<string>;
}

/** A machine with much other work still answers within it, in milliseconds. */
export const PATIENCE_MS = 60_000;

const MESSAGE =
  /FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\) BODY\[\] \{\d+\}\r\n([^]*)\)$/;

/** Reads the whole account; nobody else may work with it meanwhile. */
export async function readAccount(client: ImapClient): Promise<TrueAccount> {
  const listed = await ok(client, 'LIST "" "*" RETURN (METADATA (/private/comment))');
  const comments = new Map(listed.untagged.flatMap(commentOf));
  const mailboxes: TrueMailbox[] = [];
  for (const name of namesOf(listed)) {
    mailboxes.push(await readMailbox(client, name, comments.get(name) ?? ""));
  }
  const subscribed = new Set(namesOf(await ok(client, 'LIST (SUBSCRIBED) "" "*"')));
  return { mailboxes, subscribed };
}

function namesOf({ untagged }: Answer): string[] {
  return untagged.flatMap((line) => /^\* LIST .* "\/" "?([^"]+?)"?$/.exec(line)?.[1] ?? []);
}

function commentOf(response: string): [mailbox: string, comment: string][] {
  const found = /^\* METADATA "?([^"]+?)"? \(\/private\/comment "(.*)"\)$/.exec(response);
  return found === null ? [] : [[found[1], found[2]]];
}

async function readMailbox(
  client: ImapClient,
  name: string,
  comment: string,
): Promise<TrueMailbox> {
  const selected = await ok(client, `EXAMINE "${name}" (CONDSTORE)`);
  const fetched = await ok(client, "UID FETCH 1:* (FLAGS MODSEQ BODY.PEEK[])");
  const code = (key: string) => {
    const found = selected.untagged.map((text) => text.match(`\\[${key} (\\d+)\\]`)?.[1]);
    return Number(found.find(Boolean));
  };
  return {
    name,
    uidValidity: code("UIDVALIDITY"),
    uidNext: code("UIDNEXT"),
    highestModseq: code("HIGHESTMODSEQ"),
    messages: new Map(fetched.untagged.map(messageOf)),
    comment,
  };
}

function messageOf(response: string): [number, TrueMessage] {
  const found = MESSAGE.exec(response);
  if (found === null) throw new Error(`Expected a message: got ${response.slice(0, 200)}`);
  const [, uid, flags, modseq, text] = found;
  const token = tokenOf(text);
  return [Number(uid), {
    token,
    flags: normalFlags(flags),
    modseq: Number(modseq),
    intact: token !== undefined && isIntact(text, token),
  }];
}

async function ok(client: ImapClient, command: string) {
  const answer = await client.command(command, PATIENCE_MS);
  if (answer.reply.startsWith("OK")) return answer;
  throw new Error(`Expected OK to ${command}: got ${answer.reply}`);
}
