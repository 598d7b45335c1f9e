import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { until } from "../until.ts";
import { command, output } from "./administration.ts";

/** The tagged reply to a login. */
async function login(server: TestServer, user: string, password: string): Promise<string> {
  await using client = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
  await client.response();
  return (await client.command(`LOGIN ${user} ${password}`)).reply;
}

Deno.test("imapd user disable: the running server refuses the user as with a wrong password", async () => {
  await using server = await startServer();
  const user = (...words: string[]) => output(server, ["user", ...words]);
  strictEqual(
    await output(server, ["user", "add", "ann"], PASSWORD),
    "Added user ann\nMade account ann\n",
  );
  await until(async () => (await login(server, "ann", PASSWORD)).startsWith("OK"), "the login");
  strictEqual(await user("disable", "ann"), "Disabled user ann\n");
  const line = (await Deno.readTextFile(`${server.dir}/users`)).split("\n")
    .find((each) => each.startsWith("ann:"));
  match(line ?? "", /^ann: !argon2:/);
  await until(async () => !(await login(server, "ann", PASSWORD)).startsWith("OK"), "the refusal");
  const refused = await login(server, "ann", PASSWORD);
  match(refused, /^NO \[AUTHENTICATIONFAILED\]/);
  strictEqual(refused, await login(server, "u1", "wrong"));
  match(server.log(), /the user is disabled/);
  match((await command(server, ["user", "disable", "ann"])).err, /User ann is disabled already/);

  const rows = (await user("list", "--json")).trim().split("\n").map((each) => JSON.parse(each));
  deepStrictEqual(rows.find((row) => row.user === "ann"), {
    user: "ann",
    scheme: "argon2",
    account: "ann",
    accountExists: true,
    disabled: true,
  });
  strictEqual(await user("enable", "ann"), "Enabled user ann\n");
  await until(async () => (await login(server, "ann", PASSWORD)).startsWith("OK"), "the login");
  match((await command(server, ["user", "enable", "an"])).err, /no user an, did you mean ann\?/);

  strictEqual(
    await user("remove", "ann", "--with-mail", "-y"),
    "Removed user ann\nRemoved account ann\n",
  );
  await until(async () => (await login(server, "ann", PASSWORD)).startsWith("NO"), "the refusal");
  deepStrictEqual(await Array.fromAsync(Deno.readDir(`${server.dir}/mail`)), []);
});

Deno.test("imapd user add: gives the account the name that storage_map leads to", async () => {
  await using server = await startServer({ imap: 'storage_map = "email_localpart"' });
  await server.stop();
  strictEqual(
    await output(server, ["user", "add", "Ann@Example.org"], PASSWORD),
    "Added user ann@example.org\nMade account ann\n",
  );
  match(await output(server, ["user", "list"]), /\nann@example\.org +argon2 +ann +enabled\n/);
  const none = await command(server, ["user", "add", "bob"], PASSWORD);
  deepStrictEqual([none.code, none.out], [1, ""]);
  match(none.err, /storage_map has no account for user bob: add one, or use --no-account/);
});
