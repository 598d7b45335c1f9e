/** What a subject says without the marks of replies and forwards. @see RFC 5256 §2.1 */

import { decodeHeader } from "./header.ts";

/** A subject, or what is left of it. */
export interface BaseSubject {
  readonly text: string;
  /** A mark of a reply or a forward was removed. */
  readonly reply: boolean;
}

/** subj-blob = "[" *BLOBCHAR "]" *WSP */
const BLOB = /\[[^[\]]*\] */y;
/** subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
const REFWD = /(?:re|fwd?) *(?:\[[^[\]]*\] *)?:/iy;
/** subj-fwd-hdr = "[fwd:" */
const FORWARD_HEADER = "[fwd:";
/** subj-fwd-trl = "]" */
const FORWARD_TRAILER = "]";
/** subj-trailer = "(fwd)" / WSP */
const TRAILER = "(fwd)";

/** Octets of a subject that count. */
const MAX_SUBJECT = 16 * 1024;

/**
 * The base subject of a raw Subject value (latin1, still folded), in linear time.
 *
 * @see RFC 5256 §2.1
 */
export function baseSubject(raw: string): BaseSubject {
  let text = decodeHeader(raw.slice(0, MAX_SUBJECT)).replace(/[\t\r\n ]+/g, " ");
  let reply = false;
  for (;;) {
    // Slices share the text that they are cut from, so deep nesting costs nothing.
    const untrailed = withoutTrailers(text);
    const base = withoutLeaders(untrailed.text);
    reply ||= untrailed.reply || base.reply;
    if (!isForwarded(base.text)) return { text: base.text, reply };
    text = base.text.slice(FORWARD_HEADER.length, -FORWARD_TRAILER.length);
    reply = true;
  }
}

/** subj-fwd = subj-fwd-hdr subject subj-fwd-trl */
function isForwarded(text: string): boolean {
  return text.endsWith(FORWARD_TRAILER) &&
    text.slice(0, FORWARD_HEADER.length).toLowerCase() === FORWARD_HEADER;
}

function withoutTrailers(text: string): BaseSubject {
  let end = text.length;
  let reply = false;
  for (;;) {
    if (text[end - 1] === " ") {
      end--;
    } else if (text.slice(Math.max(0, end - TRAILER.length), end).toLowerCase() === TRAILER) {
      end -= TRAILER.length;
      reply = true;
    } else {
      return { text: text.slice(0, end), reply };
    }
  }
}

/**
 * Removes leaders and blobs; the last blob stays where nothing would be left.
 *
 * subj-leader = (*subj-blob subj-refwd) / WSP
 */
function withoutLeaders(text: string): BaseSubject {
  let start = 0;
  let reply = false;
  for (;;) {
    while (text[start] === " ") start++;
    let last = start;
    let behind = start;
    for (let end = endOf(BLOB, text, behind); end > behind; end = endOf(BLOB, text, behind)) {
      last = behind;
      behind = end;
    }
    const end = endOf(REFWD, text, behind);
    if (end === behind) {
      return { text: text.slice(behind < text.length ? behind : last), reply };
    }
    start = end;
    reply = true;
  }
}

/** Where a match at `start` ends; `start` itself if there is none. */
function endOf(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : start;
}
