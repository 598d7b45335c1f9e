/** Text as the formatters of manual pages want it: the macros of man(7), which groff and mandoc know. */

/** Columns of the source; a longer word stands alone. */
const WIDTH = 78;

/** Signs that formatters turn into typographic ones unless they are spelt so. */
const LITERAL_SIGNS: Readonly<Record<string, string>> = {
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Prose, in one piece: signs that roff takes for its own are spelt out. */
export function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll('"', "\\(dq")
    .replace(/\P{ASCII}/gu, (char) => `\\[u${hex(char)}]`);
}

/** What is to be typed or found as it stands: hyphens and quotes stay ASCII. */
export function literal(text: string): string {
  return escaped(text).replace(
    /(\\\(aq|\\\(dq|\\e|\\\[u[0-9A-F]+\])|[-'`^~]/g,
    (sign, done) => done ?? LITERAL_SIGNS[sign],
  );
}

/** {@link literal} in bold. */
export function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`;
}

/** {@link literal} in italics, for what stands for something else. */
export function italic(text: string): string {
  return `\\fI${literal(text)}\\fR`;
}

/** Sentences with the Markdown that the texts of the program have: `code`, **strong** and links. */
export function markdown(text: string): string {
  const plain = text.replace(/\[([^\][]+)\]\((?:https?:|[\w./#-]+)[^)]*\)/g, "$1");
  return plain.split(/(`[^`]+`|\*\*.+?\*\*)/).map((part) => {
    if (part.startsWith("`") && part.length > 1) return bold(part.slice(1, -1));
    if (part.startsWith("**") && part.length > 4) return `\\fB${escaped(part.slice(2, -2))}\\fR`;
    return escaped(part);
  }).join("");
}

/** Lines of running text from what the functions above made; no line is taken for a request. */
export function filled(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.map(guarded);
}

/** A paragraph behind a tag that hangs out to the left. */
export function tagged(tag: string, ...body: readonly string[]): string[] {
  return [".TP", guarded(tag), ...body];
}

/** Text that keeps its line ends, such as commands and files. */
export function example(text: string): string[] {
  const lines = text.split("\n").map((line) => guarded(literal(line)));
  return [".PP", ".RS 4", ".nf", ...lines, ".fi", ".RE"];
}

/** The heading of a page. @param date such as "2026-01-31" */
export function pageTitle(name: string, section: number, date: string, source: string): string[] {
  return [`.TH ${literal(name)} ${section} ${date} "${escaped(source)}"`, ".nh", ".ad l"];
}

/** The heading of a section. */
export function section(title: string): string[] {
  return [`.SH "${literal(title)}"`];
}

/** The heading of a part of a section. */
export function subsection(title: string): string[] {
  return [`.SS "${literal(title)}"`];
}

/** A line that begins with a dot or a quote would be a request. */
function guarded(line: string): string {
  return /^(\\f[BIR])*[.']/.test(line) ? `\\&${line}` : line;
}

function hex(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
