import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { startServer } from "../harness.ts";
import { client, command, output } from "./administration.ts";

Deno.test("imapd mailbox: makes, renames and removes what a client sees at once", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using reader = await client(server, user);
  const names = async (reference: string) =>
    (await reader.command(`${reference} "" "W*"`)).untagged
      .filter((line) => line.startsWith(`* ${reference}`)).map((line) => line.split(" ").at(-1));
  const mailbox = (...words: string[]) => output(server, ["mailbox", ...words]);

  strictEqual(
    await mailbox("create", user, "Work/2024/Q1", "--special", "archive"),
    "Made mailbox Work\nMade mailbox Work/2024\nMade mailbox Work/2024/Q1\n",
  );
  deepStrictEqual(await names("LSUB"), ["Work", "Work/2024", "Work/2024/Q1"]);
  match((await reader.command('LIST "" "Work/2024/Q1"')).untagged[0], /\\Archive/);

  strictEqual(await mailbox("rename", user, "Work", "Wörk"), "Renamed mailbox Work to Wörk\n");
  deepStrictEqual(await names("LSUB"), ["W&APY-rk", "W&APY-rk/2024", "W&APY-rk/2024/Q1"]);
  strictEqual(await mailbox("unsubscribe", user, "Wörk"), "Unsubscribed from Wörk\n");
  strictEqual(await mailbox("subscribe", user, "Wörk"), "Subscribed to Wörk\n");

  await reader.append("W&APY-rk", "Subject: a\r\n\r\nb\r\n");
  await reader.command("SELECT W&APY-rk");
  const remove = ["mailbox", "remove", user, "Wörk"];
  match((await command(server, remove)).err, /Remove mailbox Wörk of account u1 with 1 message,/);
  strictEqual(await output(server, [...remove, "-y"]), "Removed mailbox Wörk\n");
  deepStrictEqual(await names("LSUB"), ["W&APY-rk/2024", "W&APY-rk/2024/Q1"]);
});

Deno.test("imapd mailbox: tells counts, and what there is not, without a server", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  {
    await using writer = await client(server, user);
    await writer.append("INBOX", "Subject: a\r\n\r\nb\r\n");
  }
  await server.stop();
  const status = JSON.parse(await output(server, ["mailbox", "status", user, "inbox", "--json"]));
  deepStrictEqual([status.name, status.messages, status.unseen, status.uidNext], [
    "INBOX",
    1,
    1,
    2,
  ]);
  for (
    const [words, code, message] of [
      [["list", "u"], 1, /There is no account u, did you mean u1\?/],
      [["status", user, "Archiv"], 1, /no mailbox Archiv .* did you mean Archive\?/],
      [["create", user, "Sent"], 1, /There is a mailbox Sent already/],
      [["create", user, "X", "--special", "snt"], 2, /got snt, did you mean sent\?/],
      [["create", user, "a//b"], 1, /no empty level/],
      [["rename", user, "INBX", "X"], 1, /no mailbox INBX .* did you mean INBOX\?/],
      [["unsubscribe", user, "Snt"], 1, /not subscribed to Snt, did you mean Sent\?/],
    ] as const
  ) {
    const result = await command(server, ["mailbox", ...words]);
    deepStrictEqual([result.code, result.out], [code, ""], words.join(" "));
    match(result.err, message);
  }
  deepStrictEqual(
    await Array.fromAsync(Deno.readDir(`${server.dir}/mail`), ({ name }) => name),
    [user],
  );
});
