import assert from "node:assert/strict";
import { ImapClient } from "./client.ts";
import { PASSWORD, startServer } from "./harness.ts";

const ROOT = new URL("..", import.meta.url);

/** A row of the table of capabilities in docs/rfcs.md. */
interface Row {
  readonly capability: string;
  readonly rfc: string;
  /** Paths below tests/. */
  readonly tests: readonly string[];
}

async function document(): Promise<string> {
  return await Deno.readTextFile(new URL("docs/rfcs.md", ROOT));
}

function rows(text: string): Row[] {
  return [...text.matchAll(/^\| `([^`]+)` *\| (\d+) *\|([^|]*)\|$/gm)].map((
    [, capability, rfc, tests],
  ) => ({ capability, rfc, tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, path]) => path) }));
}

/** What a client is offered once it is logged in, with all limits set; values are left out. */
async function announced(): Promise<string[]> {
  await using server = await startServer({
    imap: "limits = { messages = 1000, saved_messages = 500 }\n",
  });
  const address = { host: "127.0.0.1", port: server.port };
  await using client = await ImapClient.login(address, server.freshUser(), PASSWORD);
  const { untagged } = await client.command("CAPABILITY");
  return untagged[0].split(" ").slice(2)
    .map((name) => name.replace(/^(APPENDLIMIT|MESSAGELIMIT|SAVELIMIT)=.*/, "$1"));
}

Deno.test("docs/rfcs.md has a row for each capability that is announced, and for no other", async () => {
  const listed = rows(await document()).map(({ capability }) => capability);
  assert.deepEqual(listed.toSorted(), (await announced()).toSorted());
});

Deno.test("docs/rfcs.md says for each capability which RFC is kept, and which test shows it", async () => {
  const text = await document();
  const kept = new Map(
    [...text.matchAll(/^\| \[(\d+)\]\([^)]*\) *\|[^|]*\|([^|]*)\|/gm)].map((
      [, rfc, status],
    ) => [rfc, status.trim()]),
  );
  const wrong: string[] = [];
  for (const { capability, rfc, tests } of rows(text)) {
    if (!/^(?!not )./.test(kept.get(rfc) ?? "")) {
      wrong.push(`${capability}: RFC ${rfc} is not kept`);
    }
    if (tests.length === 0) wrong.push(`${capability} has no test`);
    for (const path of tests) {
      const found = await Deno.stat(new URL(`tests/${path}`, ROOT)).catch(() => undefined);
      if (!found?.isFile) wrong.push(`${capability}: there is no tests/${path}`);
    }
  }
  assert.deepEqual(wrong, []);
});
