/**
 * The table of clients that are known to break on a capability. It only ever takes away what the
 * client named itself as breaking on; RFC 2971 §3.1 would rather have no such table, and
 * `capabilities.client_quirks = false` switches it off.
 */

/** A client's program, by what it says of itself by ID. */
interface ClientQuirk {
  readonly name: RegExp;
  readonly disable: readonly string[];
  readonly why: string;
  /** Where it was seen. */
  readonly source: string;
}

/** Rows are for what was seen, not for what might be. */
export const CLIENT_QUIRKS: readonly ClientQuirk[] = [
  {
    name: /^Microsoft Office 365$/i,
    disable: ["UIDONLY"],
    why: "Enables UIDONLY, then fetches by message numbers",
    source: "https://github.com/modern-email/defects/issues/49",
  },
  {
    // Such as "iPhone Mail", "iPad Mail", "Mac OS X Mail" and "com.apple.email.maild".
    name: /^(?:iPhone|iPad|iPod|Mac OS X|iOS|visionOS) Mail$|^com\.apple\./i,
    disable: ["IMAP4rev2"],
    why: "Written for IMAP4rev1 with extensions (Apple TN3191); showed an empty inbox where " +
      "IMAP4rev2 was announced, too",
    source: "https://github.com/stalwartlabs/stalwart/issues/3177",
  },
];

/** Fields of ID by name in lower case. */
export type IdFields = ReadonlyMap<string, string>;

/** What is not to be offered to a client that sent this. */
export function quirksOf(fields: IdFields): readonly string[] {
  const name = fields.get("name");
  if (name === undefined) return [];
  return CLIENT_QUIRKS.filter((quirk) => quirk.name.test(name)).flatMap(({ disable }) => disable);
}
