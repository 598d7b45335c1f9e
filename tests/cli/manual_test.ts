import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readArguments } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { commandPage } from "../../src/cli/manual/command_page.ts";
import { configPage } from "../../src/cli/manual/config_page.ts";
import { ARGUMENT_EXAMPLES, CONFIG_EXAMPLE } from "../../src/cli/manual/examples.ts";
import { example, filled, literal, markdown } from "../../src/cli/manual/roff.ts";
import { parseConfig } from "../../src/config/load.ts";
import { namespaces, top } from "../../src/config/schema/top.ts";
import { clientTest, run } from "../clients/programs.ts";
import { imapd } from "./program.ts";

const PAGES = [
  { name: "imapd.1", text: () => commandPage(COMMANDS) },
  { name: "imapd-config.5", text: configPage },
];

/** What a reader of `source` sees, in one line. */
async function shown(source: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".1" });
  try {
    await Deno.writeTextFile(file, source);
    const { code, stdout } = await run(["mandoc", "-T", "utf8", "-O", "width=1000", file]);
    strictEqual(code, 0);
    return stdout.replace(/.[\b]/g, "").replace(/\s+/g, " ");
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("literal() and markdown() spell out what roff would take for its own", () => {
  strictEqual(literal("--a 'b' c\\d ~^`"), "\\-\\-a \\(aqb\\(aq c\\ed \\(ti\\(ha\\(ga");
  strictEqual(literal("MAILBOX…"), "MAILBOX\\[u2026]");
  strictEqual(literal("'\\-"), "\\(aq\\e\\-");
  strictEqual(
    markdown('Run `a --b` **now**, see [the "text"](docs/x.md) §5'),
    "Run \\fBa \\-\\-b\\fR \\fBnow\\fR, see the \\(dqtext\\(dq \\[u00A7]5",
  );
});

Deno.test("filled() and example() make no request of a line that begins with a dot or a quote", () => {
  deepStrictEqual(filled(".so /etc/passwd"), ["\\&.so /etc/passwd"]);
  deepStrictEqual(filled("'so x"), ["\\&'so x"]);
  deepStrictEqual(filled(`${"x".repeat(77)} .de`), ["x".repeat(77), "\\&.de"]);
  ok(example("a\n.b").includes("\\&.b"));
});

clientTest(["mandoc"], "roff: what is escaped is shown as it was", async () => {
  const nasty = ".x 'y' \"z\" \\fB \\n(.x --- ~^` …ä";
  const text = await shown(
    ['.TH X 1 2026-01-01 "x"', ".SH NAME", ...example(nasty), ...filled(literal(nasty))].join("\n"),
  );
  strictEqual(text.split(nasty).length - 1, 2, text);
});

for (const { name, text } of PAGES) {
  clientTest(["mandoc", "man"], `${name} gives no formatter anything to warn of`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      const file = `${dir}/${name}`;
      await Deno.writeTextFile(file, text());
      deepStrictEqual(await run(["mandoc", "-T", "lint", "-W", "style", file]), {
        code: 0,
        stdout: "",
        stderr: "",
      });
      const groff = await run(["man", "-l", "--warnings=w", "-E", "UTF-8", file]);
      strictEqual(groff.stderr, "");
      strictEqual(groff.code, 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

clientTest(["mandoc"], "imapd.1 tells of every command, operand and option", async () => {
  const text = await shown(commandPage(COMMANDS));
  for (const heading of ["NAME", "SYNOPSIS", "SIGNALS", "EXIT STATUS", "SEE ALSO"]) {
    ok(text.includes(heading), heading);
  }
  for (const { name, operands, summary, options } of COMMANDS) {
    const words = summary.replaceAll("`", "");
    if (name !== "") ok(text.includes(words), words);
    ok(text.includes(`imapd ${name}`.trim()), name);
    for (const operand of operands) ok(text.includes(operand.replace(/[[\]…]/g, "")), operand);
    for (const [option, { doc }] of Object.entries(options)) {
      ok(text.includes(`--${option}`), option);
      ok(text.includes(doc.replaceAll("`", "")), doc);
    }
  }
});

clientTest(["mandoc"], "imapd-config.5 tells of every setting and module", async () => {
  const text = await shown(configPage());
  for (const [key, { doc }] of Object.entries(top)) {
    ok(text.includes(`${key} (`), key);
    ok(text.includes(doc.replace(/`|\*\*/g, "")), doc);
  }
  for (const [namespace, modules] of Object.entries(namespaces)) {
    ok(text.includes(`[${namespace}.NAME]`), namespace);
    for (const [module, settings] of Object.entries(modules)) {
      ok(text.includes(`module = "${module}"`), module);
      for (const key of Object.keys(settings)) ok(text.includes(`${key} (`), key);
    }
  }
});

Deno.test("the examples of the manual pages are taken by the program", () => {
  for (const { words } of ARGUMENT_EXAMPLES) {
    const command = COMMANDS.find(({ name }) => words.join(" ").startsWith(name) && name !== "");
    ok(command, words.join(" "));
    readArguments(command, words.slice(command.name.split(" ").length));
  }
  deepStrictEqual(parseConfig(CONFIG_EXAMPLE, "/etc/imapd/config.toml").warnings, []);
});

Deno.test("imapd man prints a page, needs no config and refuses other sections", async () => {
  const first = await imapd(["man"]);
  deepStrictEqual(first, { code: 0, out: commandPage(COMMANDS), err: "" });
  strictEqual((await imapd(["man", "5"])).out, configPage());
  const wrong = await imapd(["man", "8"]);
  strictEqual(wrong.code, 2);
  match(wrong.err, /Expected 1 \(the commands\) or 5 \(the config\), got 8/);
});
