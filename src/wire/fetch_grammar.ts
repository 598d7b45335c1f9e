/** FETCH items and section specs. @see RFC 9051 §6.4.5, §9 `fetch-att` */

/** What stands between the brackets of BODY[…]. */
export interface Section {
  /** Part numbers; empty for the message itself. */
  readonly part: readonly number[];
  /** "" is the whole part (or message). */
  readonly text: "" | "HEADER" | "TEXT" | "MIME" | "HEADER.FIELDS" | "HEADER.FIELDS.NOT";
  /** Field names of HEADER.FIELDS(.NOT) as the client wrote them. */
  readonly fields: readonly string[];
}

/** `<offset.count>` */
export interface PartialRange {
  readonly offset: number;
  readonly count: number;
}

export type FetchItem =
  | {
    readonly name:
      | "UID"
      | "FLAGS"
      | "INTERNALDATE"
      | "RFC822.SIZE"
      | "ENVELOPE"
      | "BODYSTRUCTURE"
      | "MODSEQ";
  }
  /** BODY without a section: BODYSTRUCTURE without extension data. */
  | { readonly name: "BODY" }
  | {
    /** BODY[…], BODY.PEEK[…], RFC822, RFC822.HEADER, RFC822.TEXT. */
    readonly name: "BODY[]";
    readonly section: Section;
    readonly partial?: PartialRange;
    /** False: fetching it sets \Seen. */
    readonly peek: boolean;
    /** How the answer names it: `BODY[1.HEADER.FIELDS (FROM TO)]<0>`, `RFC822.TEXT`. */
    readonly label: string;
  };
