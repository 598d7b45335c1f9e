import assert from "node:assert/strict";
import { imapServer } from "../imap_server.ts";
import { RawConnection } from "../raw_connection.ts";

const OAUTH = (name: string, token: string) => btoa(`n,a=${name},\x01auth=Bearer ${token}\x01\x01`);
const XOAUTH = (name: string, token: string) =>
  btoa(`user=${name}\x01auth=Bearer ${token}\x01\x01`);
const EMPTY = /^\+ $/;
const OK = /^a OK \[CAPABILITY /;
const REFUSED = /^a NO \[AUTHENTICATIONFAILED\] Invalid credentials$/;
const TOLD = new RegExp(`^\\+ ${btoa('{"status":"invalid_token","schemes":"bearer"}')}$`);
const XTOLD = new RegExp(`^\\+ ${btoa('{"status":"401","schemes":"bearer"}')}$`);

const CONVERSATIONS: readonly [readonly string[], readonly RegExp[]][] = [
  [[`OAUTHBEARER ${OAUTH("ann", "good")}`], [OK]],
  [["OAUTHBEARER", OAUTH("ann", "good")], [EMPTY, OK]],
  [[`OAUTHBEARER ${OAUTH("bob", "good")}`, "AQ=="], [TOLD, REFUSED]],
  [[`OAUTHBEARER ${OAUTH("ann", "bad")}`, "AQ=="], [TOLD, REFUSED]],
  [[`OAUTHBEARER ${OAUTH("ann", "bad")}`, "*"], [TOLD, /^a BAD Authentication cancelled$/]],
  [["OAUTHBEARER ="], [/^a BAD Expected OAUTHBEARER's message$/]],
  [["OAUTHBEARER", "%%%"], [EMPTY, /^a BAD Expected base64$/]],
  [["OAUTHBEARER", "A".repeat(70_000)], [EMPTY, /^a BAD /]],
  [[`XOAUTH2 ${XOAUTH("ann", "good")}`], [OK]],
  [[`XOAUTH2 ${XOAUTH("ann", "bad")}`, ""], [XTOLD, REFUSED]],
  [["XOAUTH2", "*"], [EMPTY, /^a BAD Authentication cancelled$/]],
  [["XOAUTH2 ="], [/^a BAD Expected XOAUTH2's message$/]],
  [["PLAIN AGFubgBnb29k"], [/^a NO \[CANNOT\] Unsupported mechanism$/]],
];

Deno.test("AUTHENTICATE OAUTHBEARER and XOAUTH2: what clients say and hear", async () => {
  await using server = await imapServer({ known: { tokens: { good: "ann" } } });
  for (const [says, hears] of CONVERSATIONS) {
    await using client = await RawConnection.plain(server.port);
    const greeting = await client.line() ?? "";
    assert.match(greeting, / AUTH=OAUTHBEARER AUTH=XOAUTH2 LOGINDISABLED\]/);
    for (const [i, line] of says.entries()) {
      await client.send(`${i === 0 ? "a AUTHENTICATE " : ""}${line}\r\n`);
      assert.match(await client.line() ?? "", hears[i], says[0].slice(0, 60));
    }
    if (hears.at(-1) !== OK) await client.ok(`AUTHENTICATE XOAUTH2 ${XOAUTH("ann", "good")}`);
    await client.ok("SELECT INBOX");
  }
  assert.ok(
    server.lines.some((line) =>
      /mechanism=OAUTHBEARER authentication failed	\{"reason":"wrong token",.*:"bob"}$/.test(line)
    ),
  );
  for (const secret of [OAUTH("ann", "good"), XOAUTH("ann", "good"), "=good"]) {
    assert.ok(!server.lines.some((line) => line.includes(secret)), secret);
  }
});

Deno.test("LOGIN is refused where no module checks passwords", async () => {
  await using server = await imapServer({ known: { tokens: { good: "ann" } } });
  await using client = await RawConnection.plain(server.port);
  await client.line();
  const [reply] = await client.command("LOGIN ann good");
  assert.match(reply, /^t\d+ NO \[CANNOT\] Passwords are not taken here$/);
});

Deno.test("AUTHENTICATE OAUTHBEARER is unavailable where the module cannot ask", async () => {
  await using server = await imapServer({ known: { tokens: { good: "ann" }, down: true } });
  await using client = await RawConnection.plain(server.port);
  await client.line();
  const [reply] = await client.command(`AUTHENTICATE OAUTHBEARER ${OAUTH("ann", "good")}`);
  assert.match(reply, /^t\d+ NO \[UNAVAILABLE\] /);
  const told = server.lines.filter((line) => /"src_ip":/.test(line)).join("\n");
  assert.match(
    told,
    /^warning: .*authentication not possible\t\{"reason":"it is down","src_ip":"\S+","username":"ann"\}$/,
  );
  assert.doesNotMatch(told, /authentication failed/, "what is read by programs that ban addresses");
});

Deno.test("AUTHENTICATE OAUTHBEARER: who goes away before the NO is logged, too", async () => {
  await using server = await imapServer({ known: { tokens: { good: "ann" } } });
  await using client = await RawConnection.plain(server.port);
  await client.line();
  await client.send(`a AUTHENTICATE OAUTHBEARER ${OAUTH("ann", "bad")}\r\n`);
  assert.match(await client.line() ?? "", TOLD);
  await client.close();
  assert.ok(
    server.lines.some((line) => line.includes("mechanism=OAUTHBEARER authentication failed")),
  );
});
