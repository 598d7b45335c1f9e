// Headers beyond what a message of a person has: fetched whole, by whatever part of them.

import { match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";

const OTHER = "X-A: b\r\n".repeat(100_000);
const LONG = `X-Long: ${"y".repeat(400_000)}\r\n folded\r\n`;
const HEADER = `Subject: s\r\nContent-Transfer-Encoding: base64\r\n${OTHER}${LONG}X-Last: z\r\n`;

Deno.test("FETCH of sections of a header of 1.1 MB gives all that they have", async () => {
  await using server = await startServer();
  await using client = await ImapClient.login(
    { host: "127.0.0.1", port: server.port },
    server.freshUser(),
    PASSWORD,
  );
  match((await client.append("INBOX", `${HEADER}\r\naGVsbG8=\r\n`)).reply, /^OK /);
  await client.append("INBOX", "Subject: short\r\nX-Long: l\r\n\r\nx\r\n");
  await client.command("SELECT INBOX");
  const fetched = async (item: string) => {
    const { untagged, reply } = await client.command(`FETCH 1:2 (${item})`);
    match(reply, /^OK /, item);
    strictEqual(untagged.length, 2);
    const [, size, text] = /\{(\d+)\}\r\n([^]*)\)$/.exec(untagged[0]) ?? [];
    strictEqual(text?.length, Number(size), item);
    return text;
  };
  for (let again = 0; again < 2; again++) {
    const fields = "BODY.PEEK[HEADER.FIELDS";
    strictEqual(await fetched(`${fields} (X-Long X-Last)]`), `${LONG}X-Last: z\r\n\r\n`);
    strictEqual(await fetched(`${fields} (Subject X-Last)]`), "Subject: s\r\nX-Last: z\r\n\r\n");
    strictEqual(
      await fetched(`${fields}.NOT (X-A X-Long Subject)]`),
      HEADER.slice(12, 47) + "X-Last: z\r\n\r\n",
    );
    strictEqual(await fetched(`${fields}.NOT (Subject)]`), `${HEADER.slice(12)}\r\n`);
    strictEqual(await fetched(`${fields} (X-Long)]<8.100>`), "y".repeat(100));
    strictEqual(await fetched("BODY.PEEK[HEADER]"), `${HEADER}\r\n`);
    strictEqual(await fetched("BINARY.PEEK[1]"), "hello");
  }
});

Deno.test("SEARCH SUBJECT looks through more long subjects than are looked through at once", async () => {
  await using server = await startServer();
  await using client = await ImapClient.login(
    { host: "127.0.0.1", port: server.port },
    server.freshUser(),
    PASSWORD,
  );
  for (const end of ["a", "b", "c", "a", "b", "c"]) {
    await client.append("INBOX", `Subject: ${"y".repeat(200_000)}${end}\r\n\r\nx\r\n`);
    await client.append("INBOX", `Subject: y${end}\r\n\r\nx\r\n`);
  }
  await client.command("SELECT INBOX");
  const searched = async (keys: string) => (await client.command(`SEARCH ${keys}`)).untagged[0];
  strictEqual(await searched("SUBJECT yb"), "* SEARCH 3 4 9 10");
  strictEqual(await searched("SUBJECT yyb"), "* SEARCH 3 9");
  strictEqual(await searched("4:* SUBJECT yb"), "* SEARCH 4 9 10");
  strictEqual(await searched("SUBJECT yd"), "* SEARCH");
});
