/** Writes the files that are made from the source. */

import { COMMANDS } from "../src/cli/commands.ts";
import { commandPage } from "../src/cli/manual/command_page.ts";
import { configPage } from "../src/cli/manual/config_page.ts";
import { configReference, exampleConfig } from "../src/config/document.ts";

/** A file that is made from the source; `path` starts at the project's folder. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: () => string;
}

export const GENERATED: readonly GeneratedFile[] = [
  { path: "config.example.toml", text: exampleConfig },
  { path: "docs/config.md", text: configReference },
  { path: "docs/man/imapd.1", text: () => commandPage(COMMANDS) },
  { path: "docs/man/imapd-config.5", text: configPage },
];

if (import.meta.main) {
  for (const { path, text } of GENERATED) {
    const url = new URL(`../${path}`, import.meta.url);
    await Deno.mkdir(new URL(".", url), { recursive: true });
    await Deno.writeTextFile(url, text());
  }
}
