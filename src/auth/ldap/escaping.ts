/** User names within distinguished names and search filters; nothing in a name is syntax. */

const PLACEHOLDER = "{username}";

/** Fills `{username}` into a template of a DN. @see RFC 4514 §2.4 */
export function fillDn(template: string, username: string): string {
  return template.replaceAll(PLACEHOLDER, () => escapeDn(username));
}

/** Fills `{username}` into a template of a filter. @see RFC 4515 §3 */
export function fillFilter(template: string, username: string): string {
  return template.replaceAll(PLACEHOLDER, () => escapeFilter(username));
}

/** Also escapes what is special only in some places, so that every place is safe. */
function escapeDn(text: string): string {
  return text.replace(/[\p{Cc}"#+,;<=>\\]|^ | $/gu, hexPairs);
}

function escapeFilter(text: string): string {
  return text.replace(/[\p{Cc}*()\\]/gu, hexPairs);
}

function hexPairs(char: string): string {
  let text = "";
  for (const octet of new TextEncoder().encode(char)) {
    text += `\\${octet.toString(16).padStart(2, "0")}`;
  }
  return text;
}
