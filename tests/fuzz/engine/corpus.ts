/** Inputs that are kept: one file for each target, one input a line, as the JSON of a byte string. */

import { bytesFromLatin1, latin1FromBytes } from "../../../src/message/latin1.ts";
import type { Find, FuzzTarget } from "./target.ts";

/** What is kept with the tests. */
export const CORPUS = new URL("../corpus/", import.meta.url).pathname;

/** The inputs of `file`; none if there is no such file. */
export function readCorpus(folder: string, target: string): Uint8Array[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${folder}/${target}.txt`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return text.split("\n").filter((line) => line !== "").map(readInput);
}

/** Puts `inputs` in place of what was there. */
export function writeCorpus(folder: string, target: string, inputs: readonly Uint8Array[]): void {
  Deno.mkdirSync(folder, { recursive: true });
  const lines = inputs.map((input) => `${written(input)}\n`).sort();
  const place = `${folder}/${target}.txt`;
  Deno.writeTextFileSync(`${place}.new`, [...new Set(lines)].join(""));
  Deno.renameSync(`${place}.new`, place);
}

/** Writes a find down: the input in the first line, then what happened. @returns the file */
export function writeFind(folder: string, target: string, find: Find, hash: number): string {
  Deno.mkdirSync(folder, { recursive: true });
  const place = `${folder}/${target}-${hash.toString(16).padStart(8, "0")}.txt`;
  Deno.writeTextFileSync(place, `${written(find.input)}\n${find.text}\n`);
  return place;
}

/** Words of the target's sources, each once: what is quoted there is mostly grammar. */
export function dictionaryOf(target: FuzzTarget): Uint8Array[] {
  const words = new Set(target.tokens ?? []);
  for (const file of target.sources) {
    const text = Deno.readTextFileSync(new URL(`../../../src/${file}`, import.meta.url));
    const code = text.replace(/\/\*[^]*?\*\/|^import .*$/gm, "");
    for (const [, quoted] of code.matchAll(/"((?:[^"\\\n]|\\.){1,24})"/g)) {
      words.add(quoted.replace(/\\r/g, "\r").replace(/\\n/g, "\n").replace(/\\(.)/g, "$1"));
    }
  }
  return [...words].map((word) => new TextEncoder().encode(word)).concat(Uint8Array.of(0));
}

/** The JSON of a byte string. */
export function written(input: Uint8Array): string {
  return JSON.stringify(latin1FromBytes(input));
}

/** Reads what {@link written} wrote. */
export function readInput(line: string): Uint8Array {
  return bytesFromLatin1(JSON.parse(line));
}
