/** What the store keeps ready of a message, made while it arrives. */

import { bodystructure } from "./bodystructure.ts";
import { type Conversation, conversationOf } from "./conversation.ts";
import { parseDate } from "./date.ts";
import { envelope } from "./envelope.ts";
import { cachedHeader, firstField, headerFields } from "./header.ts";
import { MimeParser, offsetsOf } from "./mime.ts";
import { hasPreview, previewOf } from "./preview.ts";
import { searchedTexts } from "./search_text.ts";
import { type SortKeys, sortKeysOf } from "./sort_keys.ts";
import { TextHeads } from "./text_heads.ts";
import { WireForm } from "./wire_form.ts";

export interface MessageSummary {
  /** Octets in wire form: RFC822.SIZE. */
  readonly size: number;
  /** The file has bare LFs: it needs {@link WireForm} when it is read. */
  readonly bareLf: boolean;
  /** ENVELOPE in wire form. */
  readonly envelope: string;
  /** BODYSTRUCTURE in wire form, with extension data. */
  readonly bodystructure: string;
  /** `cachedHeader` of the top header, latin1. */
  readonly header: string;
  /** `PartOffsets` as JSON. */
  readonly parts: string;
  /** The day in Date, as written there: days since 1970-01-01; null if it has none. */
  readonly sentDay: number | null;
  /** How the text begins: `previewOf`. */
  readonly preview: string;
  /** `searchedTexts` of the top header. */
  readonly searchedTexts: readonly (string | null)[];
  readonly sortKeys: SortKeys;
  readonly conversation: Conversation;
}

/** Gets the octets of a message in wire form as they come, as a hash does. */
export interface OctetSink {
  update(octets: Uint8Array): unknown;
}

/** Makes the {@link MessageSummary} of a message whose file comes in chunks. Never fails. */
export class MessageIndexer {
  readonly #wireForm = new WireForm();
  readonly #heads = new TextHeads();
  readonly #parser = new MimeParser((start, content) => {
    if (hasPreview(content)) this.#heads.begin(start);
  });
  readonly #sink: OctetSink | undefined;
  #size = 0;

  constructor(sink?: OctetSink) {
    this.#sink = sink;
  }

  /** Takes the next bytes as they lie in the file, with LF or CRLF; the array may be reused. */
  push(fileBytes: Uint8Array): void {
    const wire = this.#wireForm.push(fileBytes);
    this.#size += wire.length;
    this.#parser.push(wire);
    this.#heads.push(wire);
    this.#sink?.update(wire);
  }

  /** The summary. The indexer is done with. */
  end(): MessageSummary {
    const root = this.#parser.end();
    const fields = headerFields(root.header);
    const date = firstField(fields, "date");
    return {
      size: this.#size,
      bareLf: this.#wireForm.changed,
      envelope: envelope(fields),
      bodystructure: bodystructure(root),
      header: cachedHeader(root.header, fields),
      parts: JSON.stringify(offsetsOf(root)),
      sentDay: (date === undefined ? undefined : parseDate(date)?.day) ?? null,
      preview: previewOf(root, this.#heads),
      searchedTexts: searchedTexts(fields),
      sortKeys: sortKeysOf(fields),
      conversation: conversationOf(fields),
    };
  }
}
