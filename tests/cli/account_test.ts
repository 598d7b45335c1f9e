import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { startServer } from "../harness.ts";
import { client, command, output } from "./administration.ts";

for (const running of [true, false]) {
  Deno.test(`imapd account: makes, measures, limits and removes ${running ? "by the server" : "by itself"}`, async () => {
    await using server = await startServer();
    const user = server.freshUser();
    {
      await using writer = await client(server, user);
      await writer.append("INBOX", "Subject: a\r\n\r\nb\r\n");
    }
    if (!running) await server.stop();
    const account = (...words: string[]) => output(server, ["account", ...words]);
    strictEqual(await account("create", "new@example.org"), "Made account new@example.org\n");
    const again = await command(server, ["account", "create", "new@example.org"]);
    deepStrictEqual([again.code, again.err], [
      1,
      "imapd: There is an account new@example.org already\n",
    ]);

    strictEqual(
      await account("quota", user, "--size", "2GiB", "--messages", "1"),
      "RESOURCE   USED    LIMIT  FULL\n" +
        "storage    17 B  2.0 GiB    0%\n" +
        "messages      1        1  100%\n" +
        "mailboxes     6     none\n",
    );
    const full = await command(
      server,
      ["message", "add", user, "INBOX"],
      "Subject: b\r\n\r\nc\r\n",
    );
    strictEqual(full.code, 1);
    match(full.err, /The account may hold 1 messages: it has 1/);
    match(await account("quota", user, "--size", "none", "--messages", "default"), /17 B +none/);

    match(
      await account("list"),
      /^ACCOUNT .*\nnew@example\.org +6 +0 +0 B +none\nu1 +6 +1 +17 B +none\n$/,
    );
    const sizes = (await account("size", user, "--json")).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    deepStrictEqual([sizes[0].mailbox, sizes[0].messages, sizes[0].octets], ["INBOX", 1, 17]);
    strictEqual(sizes[0].disk >= 17, true);
    strictEqual(sizes.at(-1).mailbox, "(index)");

    const refused = await command(server, ["account", "remove", user]);
    match(refused.err, /Remove account u1 with all its mail \(1 messages?, 17 B\), for good\?/);
    strictEqual(await account("remove", user, "--yes"), "Removed account u1\n");
    deepStrictEqual((await account("list", "--json")).match(/"account":"[^"]*"/g), [
      '"account":"new@example.org"',
    ]);
    match((await command(server, ["account", "size", user])).err, /There is no account u1/);
  });
}

Deno.test("imapd account quota: says which limits it takes", async () => {
  await using server = await startServer();
  await server.stop();
  for (const [option, value] of [["--size", "2 apples"], ["--size", "0"], ["--messages", "-1"]]) {
    const result = await command(server, ["account", "quota", "u1", `${option}=${value}`]);
    strictEqual(result.code, 2);
    match(result.err, new RegExp(`none or default for ${option}, got ${value}`));
  }
});

Deno.test("imapd account create, import: take the name that logins have, or refuse it", async () => {
  await using server = await startServer();
  const dir = `${server.dir}/source`;
  await Deno.mkdir(`${dir}/cur`, { recursive: true });
  await output(server, ["account", "create", "ann@example.org"]);
  const again = await command(server, ["account", "create", "ANN@Example.ORG"]);
  match(again.err, /There is an account ann@example\.org already/);
  const imported = await command(server, ["import", "maildir", dir, "ANN@Example.ORG"]);
  deepStrictEqual([imported.code, imported.err], [
    0,
    "imapd: The account is ann@example.org, as logins have it\n",
  ]);
  for (const name of [" ", "", "ann ", "a b", "a/b", "ann@"]) {
    for (const words of [["account", "create", name], ["import", "maildir", dir, name]]) {
      const refused = await command(server, words);
      strictEqual(refused.code, 2, `${words}: ${refused.err}`);
      match(refused.err, /^imapd: Expected an account's name, got /);
    }
  }
  const { out } = await command(server, ["account", "list", "--json"]);
  deepStrictEqual(out.match(/"account":"[^"]*"/g), ['"account":"ann@example.org"']);
});
