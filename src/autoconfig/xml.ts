/** A few elements of XML, written so that text stays text. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text for an element or an attribute, in XML and in HTML; what XML cannot hold becomes U+FFFD. */
export function escaped(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (char) => ENTITIES[char]);
}

/** An element with other elements in it, each on lines of its own. */
export function parent(open: string, children: readonly string[]): string {
  const [name] = open.split(" ");
  const inner = children.flatMap((child) => child.split("\n")).map((line) => `  ${line}`);
  return [`<${open}>`, ...inner, `</${name}>`].join("\n");
}

/** An element with text in it. */
export function leaf(name: string, text: string | number): string {
  return `<${name}>${escaped(String(text))}</${name}>`;
}

/** The text of an element as it was written, with its entities resolved. */
export function unescaped(text: string): string {
  return text.replace(
    /&(#x[\da-f]{1,6}|#\d{1,7}|amp|lt|gt|quot|apos);/gi,
    (whole, name: string) => {
      const found = Object.entries(ENTITIES).find(([, entity]) => entity === `&${name};`);
      if (found !== undefined) return found[0];
      const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : Number(name.slice(1));
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
