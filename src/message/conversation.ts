/** By what messages are known to belong to one conversation. @see RFC 8474 §5.2 */

import { baseSubject } from "./base_subject.ts";
import { fieldsOf, firstField, type Header, type HeaderField, isNamed } from "./header.ts";
import { foldCase } from "./search_text.ts";

/** What a message says of the conversation that it is part of. */
export interface Conversation {
  /** Base subject, folded: where the subject changes, another conversation begins. */
  readonly subject: string;
  /** Message-ID without its brackets. */
  readonly own: string | undefined;
  /** Message-IDs of what it answers, the nearest first; the last is where it all began. */
  readonly ancestors: readonly string[];
}

/** References to so many messages before count, and to the first. */
const MAX_ANCESTORS = 30;

/** msg-id = "<" id-left "@" id-right ">"; what broken senders put between the brackets counts too. */
const MESSAGE_ID = /<([^<>\s]{1,900})>/g;

/**
 * Reads a header block (latin1), of which Message-ID, In-Reply-To, References and Subject matter.
 *
 * @see RFC 5322 §3.6.4
 */
export function conversationOf(header: Header): Conversation {
  const fields = fieldsOf(header);
  const answered = idsOf(fields, "in-reply-to");
  const referenced = idsOf(fields, "references").reverse();
  const [own] = idsOf(fields, "message-id");
  const all = new Set([...answered, ...referenced]);
  if (own !== undefined) all.delete(own);
  const ancestors = [...all];
  if (ancestors.length > MAX_ANCESTORS) {
    ancestors.splice(MAX_ANCESTORS - 1, ancestors.length - MAX_ANCESTORS);
  }
  return {
    subject: foldCase(baseSubject(firstField(fields, "subject") ?? "").text),
    own,
    ancestors,
  };
}

function idsOf(fields: readonly HeaderField[], wanted: string): string[] {
  const ids: string[] = [];
  for (const field of fields) {
    if (!isNamed(field, wanted)) continue;
    for (const [, id] of field.value.matchAll(MESSAGE_ID)) ids.push(id);
  }
  return ids;
}
