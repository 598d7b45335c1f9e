/** Lets a running program open no more files, by prlimit. */

import assert from "node:assert/strict";
import { run } from "../clients/programs.ts";

/** No file can be opened by a process until what is returned is disposed of. */
export async function withoutFiles(pid: number): Promise<AsyncDisposable> {
  const limit = (files: number) => run(["prlimit", "--pid", String(pid), `--nofile=${files}:4096`]);
  const { code, stderr } = await limit(lowestUnused(pid));
  assert.equal(code, 0, stderr);
  return { [Symbol.asyncDispose]: async () => void await limit(4096) };
}

/** The lowest number that no open file has: none can be opened below it. */
function lowestUnused(pid: number): number {
  const used = new Set([...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => Number(name)));
  let number = 0;
  while (used.has(number)) number++;
  return number;
}
