/** GETMETADATA and SETMETADATA. */

import type { GetMetadataArgs, SetMetadataArgs } from "../../wire/metadata_grammar.ts";
import {
  astring,
  type Completion,
  mailbox,
  metadataCode,
  metadataValue,
  ok,
} from "../../wire/response.ts";
import { type Annotated, annotated } from "../annotated.ts";
import type { AuthenticatedContext } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import { mailboxArgument } from "../mailbox_argument.ts";

/** An entry to be told, as the client spelled it where it did. */
interface Wanted {
  readonly entry: string;
  /** Undefined if it has no value. */
  readonly octets: number | undefined;
}

/** @see RFC 5464 §4.2 */
export async function getMetadata(
  context: AuthenticatedContext,
  args: GetMetadataArgs,
): Promise<Completion> {
  const name = args.mailbox === "" ? "" : mailboxArgument(args.mailbox, context.session);
  const source = annotated(context, name);
  const wanted = await select(context, args, await source.sizes());
  const { maxSize = Infinity } = args;
  await tell(context, name, source, wanted.filter(({ octets = 0 }) => octets <= maxSize));
  const longest = wanted.reduce((most, { octets = 0 }) => Math.max(most, octets), 0);
  const code = longest > maxSize ? metadataCode(`LONGENTRIES ${longest}`) : undefined;
  return ok("GETMETADATA completed", code);
}

/** A METADATA response with these entries, NIL for those without a value. @see RFC 9590 §3 */
export async function tellMetadata(
  context: AuthenticatedContext,
  name: string,
  entries: readonly string[],
): Promise<void> {
  const source = annotated(context, name);
  const wanted = await select(context, { entries, depth: 0 }, await source.sizes());
  await tell(context, name, source, wanted);
}

/** The entries that are asked for, each once. @see RFC 5464 §4.2.2 */
async function select(
  { dialogue }: AuthenticatedContext,
  { entries, depth }: Pick<GetMetadataArgs, "entries" | "depth">,
  sizes: ReadonlyMap<string, number>,
): Promise<Wanted[]> {
  const wanted = new Map<string, Wanted>();
  const pace = new CommandPace(dialogue);
  const add = (one: Wanted) => {
    const key = one.entry.toLowerCase();
    if (!wanted.has(key)) wanted.set(key, one);
  };
  for (const entry of entries) {
    let found = false;
    for (const [name, octets] of sizes) {
      const below = levelsBelow(entry, name);
      if (below === undefined || below > (depth === "infinity" ? Infinity : depth)) continue;
      add({ entry: below === 0 ? entry : name, octets });
      found = true;
    }
    if (!found) add({ entry, octets: undefined });
    if (pace.due()) await pace.turn();
  }
  return [...wanted.values()];
}

/** How many levels `name` is below `entry`: 0 if it is the same one; undefined elsewhere. */
function levelsBelow(entry: string, name: string): number | undefined {
  const [above, whole] = [entry.toLowerCase(), name.toLowerCase()];
  if (whole === above) return 0;
  return whole.startsWith(`${above}/`)
    ? whole.slice(above.length).split("/").length - 1
    : undefined;
}

/** Octets of values in one response; what is more goes into further ones. */
const OCTETS_AT_ONCE = 64 * 1024;

async function tell(
  { out, session }: AuthenticatedContext,
  name: string,
  source: Annotated,
  wanted: readonly Wanted[],
): Promise<void> {
  const opening = `* METADATA ${mailbox(name, session.utf8)}`;
  let items: string[] = [];
  let octets = 0;
  // A response is written once all its values are there: a failure must not cut it off.
  for (const [i, { entry, ...one }] of wanted.entries()) {
    const value = one.octets === undefined ? undefined : await source.value(entry);
    items.push(`${astring(entry)} ${metadataValue(value)}`);
    octets += one.octets ?? 0;
    if (octets < OCTETS_AT_ONCE && i < wanted.length - 1) continue;
    out.text(`${opening} (${items.join(" ")})\r\n`);
    if (out.full) await out.flush();
    items = [];
    octets = 0;
  }
}

/** @see RFC 5464 §4.3 */
export async function setMetadata(
  context: AuthenticatedContext,
  args: SetMetadataArgs,
): Promise<Completion> {
  const name = args.mailbox === "" ? "" : mailboxArgument(args.mailbox, context.session);
  await annotated(context, name).set(args.values);
  return ok("SETMETADATA completed");
}
