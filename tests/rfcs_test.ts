import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url);

interface Row {
  readonly number: string;
  readonly title: string;
  readonly status: string;
  /** Paths in backticks; a folder ends in "/". */
  readonly files: readonly string[];
}

/** The rows of the table in docs/rfcs.md. */
function rows(text: string): Row[] {
  return [...text.matchAll(/^\| \[(\d+)\]\([^)]*\) *\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map((
    [, number, title, status, files],
  ) => ({
    number,
    title: title.trim(),
    status: status.trim(),
    files: [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => file),
  }));
}

/** The files below src/ with the numbers of the RFCs that each mentions. */
async function mentions(folder = "src/"): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}${name}`;
    if (isDirectory) { for (const entry of await mentions(`${path}/`)) found.set(...entry); }
    else if (name.endsWith(".ts")) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      found.set(path, new Set([...text.matchAll(/\bRFC (\d{3,5})\b/g)].map(([, rfc]) => rfc)));
    }
  }
  return found;
}

Deno.test("docs/rfcs.md lists every RFC that the source mentions", async () => {
  const table = rows(await Deno.readTextFile(new URL("docs/rfcs.md", ROOT)));
  const found = await mentions();
  const listed = new Set(table.map(({ number }) => number));
  const missing = [...found].flatMap(([path, rfcs]) =>
    [...rfcs].filter((rfc) => !listed.has(rfc)).map((rfc) => `RFC ${rfc} of ${path}`)
  );
  assert.deepEqual(missing, []);
  assert.ok([...found.values()].some((rfcs) => rfcs.has("9051")));
});

Deno.test("docs/rfcs.md names files that mention the RFC, in the order of numbers", async () => {
  const table = rows(await Deno.readTextFile(new URL("docs/rfcs.md", ROOT)));
  const found = await mentions();
  const wrong: string[] = [];
  for (const { number, title, status, files } of table) {
    if (!title || !status) wrong.push(`RFC ${number} has no title or status`);
    if (files.length === 0 && status === "yes") wrong.push(`RFC ${number} is kept nowhere`);
    for (const file of files) {
      const mentioned = [...found].some(([path, rfcs]) =>
        (file.endsWith("/") ? path.startsWith(file) : path === file) && rfcs.has(number)
      );
      if (!mentioned) wrong.push(`${file} does not mention RFC ${number}`);
    }
  }
  assert.deepEqual(wrong, []);
  const numbers = table.map(({ number }) => Number(number));
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
});
