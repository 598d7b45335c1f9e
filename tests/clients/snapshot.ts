/** Pictures of mail on both sides of a synchronisation, to be compared as values. */

import { RawConnection } from "../raw_connection.ts";

/**
 * All that a server keeps of one account: for each mailbox its STATUS with mod-sequence, and each
 * message with UID, flags, date, size and text.
 */
export async function serverSnapshot(client: RawConnection): Promise<Record<string, string[]>> {
  const picture: Record<string, string[]> = {};
  for (const name of await mailboxes(client)) {
    const status = await client.ok(
      `STATUS "${name}" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)`,
    );
    await client.ok(`EXAMINE "${name}"`);
    const messages = await client.ok("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])");
    await client.ok("UNSELECT");
    picture[name] = [...status, ...messages].filter((line) => /^\* (STATUS|\d+ FETCH) /.test(line))
      .map(withSortedFlags);
  }
  return picture;
}

/** Names of all mailboxes that can be selected, as they come over the wire. */
export async function mailboxes(client: RawConnection): Promise<string[]> {
  const names: string[] = [];
  for (const line of await client.ok('LIST "" "*"')) {
    const [, attributes, quoted, atom] = line.match(/^\* LIST \(([^)]*)\) \S+ (?:"(.*)"|(\S+))$/) ??
      [];
    if (!/\\(Noselect|NonExistent)/i.test(attributes)) names.push(quoted ?? atom);
  }
  return names.sort();
}

/** The order of flags means nothing, and \Recent depends on who looked first. */
function withSortedFlags(line: string): string {
  return line.replace(/FLAGS \(([^)]*)\)/, (_, flags: string) => {
    const kept = flags.split(" ").filter((flag) => flag && flag !== "\\Recent");
    return `FLAGS (${kept.sort().join(" ")})`;
  });
}

/** Every file below `dir` but the client's own state, with its text (one char is one byte). */
export async function treeSnapshot(dir: string): Promise<Record<string, string>> {
  const picture: Record<string, string> = {};
  async function walk(folder: string) {
    for await (const entry of Deno.readDir(`${dir}${folder}`)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await walk(path);
      else if (!entry.name.startsWith(".")) {
        picture[path] = await Deno.readTextFile(`${dir}${path}`);
      }
    }
  }
  await walk("");
  return picture;
}
