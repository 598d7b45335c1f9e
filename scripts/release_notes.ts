/** Prints what the changelog says of a version: `deno run -A scripts/release_notes.ts v0.1.0`. */

import { print, printError } from "../src/cli/output.ts";
import { VERSION } from "../src/version.ts";

/**
 * The section of `version` in the text of a changelog, without its heading.
 *
 * @throws {Error} when there is none, or when it says that it is not released yet
 */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((each) => each.match(/^[^\s,]+/)?.[0] === version);
  if (section === undefined) {
    throw new Error(`Expected a section "## ${version}" in CHANGELOG.md, got none`);
  }
  const heading = section.slice(0, section.indexOf("\n"));
  if (heading.includes("not yet released")) {
    throw new Error(`Expected the day of the release in CHANGELOG.md, got "## ${heading}"`);
  }
  return section.slice(heading.length).trim();
}

/** The version that a tag stands for. @throws {Error} when the program has another one */
export function versionOfTag(tag: string): string {
  if (tag === `v${VERSION}`) return VERSION;
  throw new Error(`Expected the tag v${VERSION}, the version of the source, got ${tag}`);
}

if (import.meta.main) {
  try {
    const changelog = await Deno.readTextFile(new URL("../CHANGELOG.md", import.meta.url));
    print(releaseNotes(changelog, versionOfTag(Deno.args[0] ?? "none")));
  } catch (error) {
    printError(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
