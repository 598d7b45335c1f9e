/** What the MIME fields of a header say about its body. @see RFC 2045, RFC 2183 */

import { headerFields, unfold } from "./header.ts";
import {
  type Parameter,
  parseParameterized,
  parseWordList,
  trimBlanks,
  withoutComments,
} from "./structured_field.ts";

/** Case as written; compare without regard to it. @see RFC 2045 §5 */
export interface ContentType {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: readonly Parameter[];
}

/** @see RFC 2183 §2 */
export interface Disposition {
  readonly type: string;
  readonly parameters: readonly Parameter[];
}

/** The content fields of one header; of several with one name the first counts. */
export interface Content {
  /** The default of the surrounding multipart if the field is missing. */
  readonly contentType: ContentType;
  /** Transfer encoding as written, "7bit" if missing. */
  readonly encoding: string;
  readonly id?: string;
  readonly description?: string;
  readonly disposition?: Disposition;
  readonly languages?: readonly string[];
  readonly location?: string;
  readonly md5?: string;
}

/** @see RFC 2045 §5.2 */
export const PLAIN_TEXT: ContentType = {
  type: "text",
  subtype: "plain",
  parameters: [["charset", "us-ascii"]],
};

/** @see RFC 2046 §5.1.5 */
export const DIGEST_DEFAULT: ContentType = { type: "message", subtype: "rfc822", parameters: [] };

/** Reads the content fields of a header block (latin1). */
export function parseContent(header: string, defaultType: ContentType): Content {
  const raw = contentFields(header);
  const type = raw.get("content-type");
  const disposition = raw.get("content-disposition");
  const languages = raw.get("content-language");
  const words = languages === undefined ? [] : parseWordList(languages);
  return {
    contentType: type === undefined ? defaultType : parseContentType(type),
    encoding: withoutComments(unfold(raw.get("content-transfer-encoding") ?? "")) || "7bit",
    id: plain(raw.get("content-id")),
    description: plain(raw.get("content-description")),
    disposition: disposition === undefined ? undefined : parseDisposition(disposition),
    languages: words.length > 0 ? words : undefined,
    location: plain(raw.get("content-location")),
    md5: plain(raw.get("content-md5")),
  };
}

/** A parameter's value by its lower-case name; the first one counts. */
export function parameter(
  parameters: readonly Parameter[],
  name: string,
): string | undefined {
  return parameters.find(([key]) => key.toLowerCase() === name)?.[1];
}

function contentFields(header: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { name, value } of headerFields(header)) {
    // "C" or "c": most fields are done with here.
    if ((name.charCodeAt(0) | 0x20) !== 0x63 || name.length < 10) continue;
    const key = name.toLowerCase();
    if (key.startsWith("content-") && !found.has(key)) found.set(key, value);
  }
  return found;
}

/** RFC 2045 §5.2 lets what cannot be read count as plain text. */
function parseContentType(raw: string): ContentType {
  const { value, parameters } = parseParameterized(raw);
  const slash = value.indexOf("/");
  const type = trimBlanks(slash < 0 ? value : value.slice(0, slash));
  // A blank ends it: "text/plain charset=utf-8" without its semicolon is still plain text.
  const subtype = slash < 0 ? "" : trimBlanks(value.slice(slash + 1)).split(/[ \t]/)[0];
  if (isToken(type) && isToken(subtype)) return { type, subtype, parameters };
  if (slash < 0 && type.toLowerCase() === "text") return { type, subtype: "plain", parameters };
  return PLAIN_TEXT;
}

function parseDisposition(raw: string): Disposition | undefined {
  const { value, parameters } = parseParameterized(raw);
  if (value !== "") return { type: value, parameters };
  return parameters.length > 0 ? { type: "attachment", parameters } : undefined;
}

function plain(raw: string | undefined): string | undefined {
  return raw === undefined ? undefined : trimBlanks(unfold(raw)) || undefined;
}

/** @see RFC 2045 §5.1 `token` */
function isToken(text: string): boolean {
  return /^[!#-'*+\-.0-9A-Z^-~]+$/.test(text);
}
