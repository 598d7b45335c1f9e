/** The page imapd-config(5), made from the schema of the config. */

import { moduleDocs, namespaces, top } from "../../config/schema/top.ts";
import type { Section, Setting } from "../../config/setting.ts";
import { VERSION, VERSION_DATE } from "../../version.ts";
import { CONFIG_FILE } from "../command.ts";
import { CONFIG_EXAMPLE } from "./examples.ts";
import {
  bold,
  example,
  filled,
  italic,
  markdown,
  pageTitle,
  section,
  subsection,
  tagged,
} from "./roff.ts";

/** The text of `imapd-config.5`. */
export function configPage(): string {
  return [
    ...pageTitle("IMAPD-CONFIG", 5, VERSION_DATE, `imapd ${VERSION}`),
    ...section("NAME"),
    "imapd\\-config \\- config of the IMAP server imapd",
    ...section("SYNOPSIS"),
    ...filled(bold(CONFIG_FILE)),
    ...section("DESCRIPTION"),
    ...filled(markdown(
      "The config is one file in TOML. All faults in it are reported at once, each with its line " +
        "and column, by `imapd check` as well as at the start. Relative paths start at the " +
        "folder of the file. Sizes are written such as `64 KiB` or `10 MB`, durations such as " +
        "`90s`, `30m` or `1h 30m`.",
    )),
    ".PP",
    ...filled(markdown(
      'Modules stand in it as a reference to a block (`"&NAME"`), as a table with the settings ' +
        'of such a block, by their name (`"MODULE"`), or as a list of the name and the values of ' +
        'the keys that are marked as arguments (`["MODULE", "ARGUMENT"]`).',
    )),
    ...section("BEFORE THE FIRST TABLE"),
    ...new Tables().page(top),
    ...Object.entries(namespaces).flatMap(([namespace, variants]) => [
      ...section(`[${namespace}.NAME]`),
      ...Object.entries<Section>(variants).flatMap(([module, settings]) => [
        ...subsection(`module = "${module}"`),
        ...filled(markdown(moduleDocs[namespace]?.[module] ?? "")),
        ...settingRows(settings),
      ]),
    ]),
    ...section("EXAMPLES"),
    ...filled(markdown("A config that is complete once its certificate is there:")),
    ...example(CONFIG_EXAMPLE),
    ...section("FILES"),
    ...tagged(
      bold(CONFIG_FILE),
      ...filled(markdown("The config, unless `--config` names another.")),
    ),
    ...section("SEE ALSO"),
    ...filled(`${bold("imapd")}(1)`),
    "",
  ].join("\n");
}

/** Tables of settings, each described where it first comes. */
class Tables {
  readonly #described = new Map<Section, string>();

  /** `settings`, and then the tables in it. */
  page(settings: Section, path = ""): string[] {
    const tables: string[] = [];
    const rows = Object.entries(settings).flatMap(([name, setting]) => {
      const inner = setting.kind.sections?.[""];
      if (inner === undefined) return settingRow(name, setting);
      const key = path === "" ? name : `${path}.${name}`;
      const title = setting.kind.name === "tables" ? `[[${key}]]` : `[${key}]`;
      const known = this.#described.get(inner);
      if (known === undefined) {
        this.#described.set(inner, title);
        tables.push(...section(title), ...this.page(inner, key));
      }
      return settingRow(name, setting, known ?? title);
    });
    return [...rows, ...tables];
  }
}

function settingRows(settings: Section): string[] {
  const rows = Object.entries(settings);
  if (rows.length === 0) return ["It has no settings."];
  return rows.flatMap(([name, setting]) => {
    const inner = setting.kind.sections?.[""];
    return [
      ...settingRow(name, setting),
      ...inner === undefined ? [] : [".RS", ...settingRows(inner), ".RE"],
    ];
  });
}

/** @param elsewhere the heading under which its own settings are described */
function settingRow(name: string, setting: Setting<unknown>, elsewhere?: string): string[] {
  const { kind, required, inline } = setting;
  const mark = inline === "rest" ? ", arguments" : inline ? ", argument" : "";
  const facts = [
    `It must be ${kind.expected}.`,
    required ? "It is required." : setting.default && `The default is \`${setting.default}\`.`,
    elsewhere && `Its own settings are described under \`${elsewhere}\`.`,
  ].filter((fact) => fact);
  return tagged(
    `${bold(name)} (${italic(kind.name)}${mark})`,
    ...filled(markdown(setting.doc)),
    ".br",
    ...filled(markdown(facts.join(" "))),
  );
}
