/** All that is in an account, as a client sees it that asks for everything. */

import type { ImapClient } from "../client.ts";
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
}

/** A machine with much other work still answers within it, in milliseconds. */
export const PATIENCE_MS = 60_000;

const MESSAGE =
  /FETCH \(UID (\d+) FLAGS \(([^)]*)\) MODSEQ \((\d+)\) BODY\[\] \{\d+\}\r\n([^]*)\)$/;

/** Reads the whole account; nobody else may work with it meanwhile. */
export async function readAccount(client: ImapClient): Promise<TrueMailbox[]> {
  const { untagged } = await ok(client, 'LIST "" "*"');
  const names = untagged.map((line) => / "\/" "?([^"]+?)"?$/.exec(line)?.[1] ?? line);
  const boxes: TrueMailbox[] = [];
  for (const name of names) boxes.push(await readMailbox(client, name));
  return boxes;
}

async function readMailbox(client: ImapClient, name: string): Promise<TrueMailbox> {
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
