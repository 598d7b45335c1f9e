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

Deno.test("imapd user passwd, remove: end the sessions of the user", async () => {
  await using server = await startServer();
  const loggedIn = async () => {
    const address = { host: "127.0.0.1", port: server.port };
    return await ImapClient.login(address, "u1", PASSWORD);
  };
  await using first = await loggedIn();
  const done = await output(server, ["user", "passwd", "u1"], PASSWORD);
  strictEqual(done, "Changed the password of user u1\nEnded 1 connection\n");
  strictEqual(await first.response(), "* BYE The password was changed");
  await using second = await loggedIn();
  const removed = await output(server, ["user", "remove", "u1", "-y"]);
  strictEqual(removed, "Ended 1 connection\nRemoved user u1; the mail is kept\n");
  strictEqual(await second.response(), "* BYE The user was removed");
});

Deno.test("imapd penalty: shows and forgets failed logins", async () => {
  await using server = await startServer({
    top: 'limits = { penalty = "1h", longest_penalty = "1h", trusted = [] }',
  });
  const clearly = (...words: string[]) => output(server, ["penalty", ...words]);
  await using client = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
  await client.response();
  client.line("a LOGIN u1 wrong");
  await until(() => /authentication failed/.test(server.log()), "the failure");
  const table = await clearly("list");
  match(table, /^OF +NAME +FAILURES +LAST +PAUSE\n/);
  match(table, /\naddress +127\.0\.0\.1 +1 +\d+s +3600s\n/);
  match(table, /\nuser +u1 +1 +\d+s +3600s\n/);
  const [row] = (await clearly("list", "--json")).split("\n").map((line) =>
    JSON.parse(line || "0")
  );
  deepStrictEqual(Object.keys(row), ["kind", "name", "failures", "age", "pause"]);
  strictEqual(await clearly("clear", "--address", "::ffff:127.0.0.1"), "Cleared 1 penalty\n");
  strictEqual(await clearly("clear"), "Cleared 1 penalty\n");

  await using second = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
  await second.response();
  second.line("a LOGIN u1 wrong");
  await until(() => server.log().match(/authentication failed/g)?.length === 2, "the failure");
  await using waiting = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
  await waiting.response();
  waiting.line(`a LOGIN u1 ${PASSWORD}`);
  match(await login(server, "u2", PASSWORD), /^OK/);
  strictEqual(await clearly("clear", "--user", "u1"), "Cleared 1 penalty\n");
  match(await waiting.response() ?? "", /^a OK/);
  await server.stop();
  match((await command(server, ["penalty", "list"])).err, /No server is running/);
});
