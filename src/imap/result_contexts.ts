/** All searching commands of a selected mailbox whose results are followed. @see RFC 5267 §4.3 */

import type { Log } from "../log.ts";
import { type Completion, no, ok, statusLine } from "../wire/response.ts";
import { Disconnected, type Output, type SelectedContext } from "./command.ts";
import { tellMessages } from "./commands/fetch.ts";
import type { FollowedResults } from "./followed_results.ts";
import { esearch } from "./return_options.ts";
import type { SearchScope } from "./search_columns.ts";
import type { Followers, View } from "./view.ts";

/** How many a session may have at a time; each costs four bytes a result, and its key. */
const MOST_CONTEXTS = 16;

export class ResultContexts implements Followers {
  readonly #byTag = new Map<string, FollowedResults>();
  readonly #context: SelectedContext;
  readonly #view: View;
  readonly #log: Log;

  constructor(context: SelectedContext, private readonly scope: () => SearchScope) {
    this.#context = context;
    this.#view = context.view;
    this.#log = context.log;
  }

  has(tag: string): boolean {
    return this.#byTag.has(tag);
  }

  /** @returns false if there are too many already */
  add(tag: string, results: FollowedResults): boolean {
    if (this.#byTag.size >= MOST_CONTEXTS) return false;
    this.#byTag.set(tag, results);
    return true;
  }

  cancel(tag: string): void {
    this.#byTag.delete(tag);
  }

  tellGone(out: Output): void {
    if (this.#byTag.size === 0) return;
    const gone = new Set(this.#view.uidsGone());
    for (const [tag, results] of this.#byTag) {
      tell(out, tag, results, results.remove((uid) => gone.has(uid), this.#view));
    }
  }

  async tellRest(out: Output): Promise<void> {
    for (const [tag, results] of this.#byTag) {
      try {
        const data = await results.update(this.scope());
        await this.#tellArrived(out, results);
        tell(out, tag, results, data);
      } catch (error) {
        if (error instanceof Disconnected) throw error;
        this.#log.error("results not followed", { tag, error: String(error) });
        this.#byTag.delete(tag);
        out.text(noUpdate(tag, "The results cannot be followed any more"));
      }
    }
  }

  /** EXISTS has been told by now. @see RFC 5465 §7 */
  async #tellArrived(
    out: Output,
    { arrived, followed: { items = [] } }: FollowedResults,
  ): Promise<void> {
    if (items.length === 0 || arrived.length === 0) return;
    await tellMessages({ ...this.#context, out }, items, arrived);
  }
}

function tell(out: Output, tag: string, { followed }: FollowedResults, data: string): void {
  if (data !== "") out.text(`${esearch(tag, followed.byUid)}${data}\r\n`);
}

/** @see RFC 5267 §4.3.1 */
export function noUpdate(tag: string, reason: string): string {
  return statusLine("*", "NO", reason, { text: `NOUPDATE "${tag}"` });
}

/** @see RFC 5267 §4.3.5 */
export function cancelUpdate(
  { view, command }: SelectedContext,
  { tags }: { readonly tags: readonly string[] },
): Completion {
  const unknown = tags.filter((tag) => !view.followers?.has(tag));
  if (unknown.length > 0) return no(`No results are followed for ${unknown.join(", ")}`);
  for (const tag of tags) view.followers?.cancel(tag);
  return ok(`${command} completed`);
}
