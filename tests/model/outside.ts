/** What another program does to the files of a mailbox. */

import type { Random } from "./random.ts";

/** Removes or renames a file and adds one beside it, by which one sees the end; or delivers. */
export function changeFromOutside(maildir: string, random: Random): void {
  const kind = random.below(3);
  if (kind === 0) return deliver(maildir, `new/${freshName(random)}`);
  change(maildir, kind === 1, random);
  deliver(maildir, `cur/${freshName(random)}:2,S`);
}

function change(maildir: string, removes: boolean, random: Random): void {
  const files = [...Deno.readDirSync(`${maildir}/cur`)].map(({ name }) => name).sort();
  if (files.length === 0) return;
  const file = random.pick(files);
  if (removes) Deno.removeSync(`${maildir}/cur/${file}`);
  else toggleFlagged(`${maildir}/cur`, file);
}

function freshName(random: Random): string {
  return `${1_700_000_000 + random.below(1000)}.${random.below(1e9)}.elsewhere`;
}

function deliver(maildir: string, to: string): void {
  Deno.writeTextFileSync(`${maildir}/tmp/outside`, "Subject: from outside\n\nHello\n");
  Deno.renameSync(`${maildir}/tmp/outside`, `${maildir}/${to}`);
}

function toggleFlagged(cur: string, file: string): void {
  const [base, info = ""] = file.split(":2,");
  const letters = info.includes("F") ? info.replace("F", "") : [...info, "F"].sort().join("");
  Deno.renameSync(`${cur}/${file}`, `${cur}/${base}:2,${letters}`);
}
