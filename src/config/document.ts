/** The example config and the reference of all settings, made from the schema. */

import { autoconfig } from "./schema/autoconfig.ts";
import { imap, limits, proxyProtocol } from "./schema/imap.ts";
import { lmtp, lmtpLimits } from "./schema/lmtp.ts";
import { tlsLoaders, tlsRules } from "./schema/tls.ts";
import { exampleBlocks, moduleDocs, namespaces, top } from "./schema/top.ts";
import type { Section, Setting } from "./setting.ts";

const WIDTH = 96;

/** The text of `config.example.toml`: a config that works once its files are there. */
export function exampleConfig(): string {
  const { tls: _tls, imap: _imap, lmtp: _lmtp, autoconfig: _autoconfig, ...plain } = top;
  const { limits: _lmtpLimits, ...delivering } = lmtp;
  const { limits: _limits, tls: _own, proxy_protocol: proxy, ...endpoint } = imap;
  const blocks = exampleBlocks.flatMap(({ namespace, name, module }) => {
    const variants: Readonly<Record<string, Section>> = namespaces[namespace];
    return ["", `[${namespace}.${name}]`, `module = "${module}"`, ...example(variants[module])];
  });
  return [
    ...comment(
      "An example of a config for imapd. Settings that begin with # show their defaults. " +
        "`imapd check --config FILE` reports all faults.",
    ),
    ...example(plain),
    "",
    ...comment(top.tls.doc),
    "[tls]",
    ...comment(
      'Or "self_signed", which needs no other setting, or "acme" for certificates of Let\'s Encrypt.',
    ),
    'loader = "file"',
    ...example(tlsLoaders.file),
    ...example(tlsRules),
    "",
    ...comment("An endpoint; there may be several."),
    "[[imap]]",
    ...example(endpoint),
    "",
    ...comment(proxy.doc),
    '# proxy_protocol = ["127.0.0.1", "10.0.0.0/8"]',
    "",
    ...comment(imap.limits.doc),
    "[imap.limits]",
    ...example(limits),
    "",
    ...comment(top.lmtp.doc),
    "[[lmtp]]",
    ...example(delivering),
    "",
    ...comment(lmtp.limits.doc),
    "[lmtp.limits]",
    ...example(lmtpLimits),
    "",
    ...comment(top.autoconfig.doc),
    "[autoconfig]",
    ...example(autoconfig),
    ...blocks,
    "",
  ].join("\n");
}

function example(section: Section): string[] {
  return Object.entries(section).flatMap(([name, setting]) => {
    const value = setting.example ?? setting.default;
    if (value === undefined) return [];
    const mark = setting.example === undefined ? "# " : "";
    return ["", ...comment(setting.doc.replaceAll("**", "")), `${mark}${name} = ${value}`];
  });
}

function comment(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** The text of `docs/config.md`. */
export function configReference(): string {
  const { tls, imap: endpoints, lmtp: delivering, autoconfig: forms, ...plain } = top;
  const { limits: bounds, tls: ownTls, ...endpoint } = imap;
  const modules = Object.entries(namespaces).flatMap(([namespace, variants]) => [
    ...heading(2, `\`[${namespace}.NAME]\``),
    `Named ${namespace} modules, referred to by \`"&NAME"\`. In place of the reference may stand an ` +
    'inline table with the same settings, a module\'s name (\`"MODULE"\`), or a list of its name ' +
    'and the values of the keys that are marked as arguments (\`["MODULE", "ARGUMENT"]\`).',
    ...Object.entries(variants).flatMap(([module, section]) => [
      ...heading(3, `\`module = "${module}"\``),
      ...paragraph(moduleDocs[namespace]?.[module]),
      ...rows(section),
    ]),
  ]);
  return [
    "# Config reference",
    "",
    "<!-- Made from src/config/schema/ by `deno task generate`; do not edit. -->",
    "",
    "The config is one [TOML](https://toml.io) file. Every fault in it is reported at once with its " +
    "line and column, by `imapd check --config FILE` as well as at the start. Relative paths start " +
    "at the folder of the file. Sizes are written such as `64 KiB` or `10 MB`, durations such as " +
    "`90s`, `30m` or `1h 30m`. `config.example.toml` is a complete example.",
    ...heading(2, "Before the first table"),
    ...rows(plain),
    ...heading(2, "`[tls]`"),
    tls.doc,
    "",
    "The table has, beside `loader` and what follows, the settings of the loader, which are listed " +
    "under `[tls_loader.NAME]`; not so where `loader` is a reference.",
    "",
    ...rows(tlsRules),
    ...heading(2, "`[[imap]]`"),
    endpoints.doc,
    "",
    ...rows({ ...endpoint, tls: ownTls }),
    ...heading(3, "`[imap.proxy_protocol]`"),
    ...rows(proxyProtocol),
    ...heading(3, "`[imap.limits]`"),
    bounds.doc,
    "",
    ...rows(limits),
    ...heading(2, "`[[lmtp]]`"),
    delivering.doc,
    "",
    ...rows(lmtp),
    ...heading(2, "`[autoconfig]`"),
    forms.doc,
    "",
    ...rows(autoconfig),
    ...modules,
    "",
  ].join("\n");
}

function heading(level: number, text: string): string[] {
  return ["", `${"#".repeat(level)} ${text}`, ""];
}

function paragraph(text: string | undefined): string[] {
  return text === undefined ? [] : [text, ""];
}

function rows(section: Section): string[] {
  if (Object.keys(section).length === 0) return ["It has no settings."];
  return [
    "| Key | Kind | Value | Default | Example | Meaning |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rowsOf(section, ""),
  ];
}

/** A row for each setting; those of a table within come after it. */
function rowsOf(section: Section, path: string): string[] {
  return Object.entries(section).flatMap(([name, setting]) => {
    const key = `\`${path}${name}\`${mark(setting)}`;
    const { name: kind, expected, sections } = setting.kind;
    const cells = [key, kind, expected, defaultText(setting), exampleText(setting), setting.doc];
    return [
      `| ${cells.map(cell).join(" | ")} |`,
      ...rowsOf(sections?.[""] ?? {}, `${path}${name}.`),
    ];
  });
}

function mark({ inline }: Setting<unknown>): string {
  return inline === "rest" ? " (arguments)" : inline ? " (argument)" : "";
}

function defaultText(setting: Setting<unknown>): string {
  if (setting.required) return "required";
  return setting.default === undefined ? "" : `\`${setting.default}\``;
}

function exampleText({ example, sample, default: fallback }: Setting<unknown>): string {
  const text = example ?? sample ?? fallback;
  return text === undefined ? "" : `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
