import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { letter, withAttachment, withoutCr } from "./mail.ts";
import { clientTest, run, type Workplace, workplace } from "./programs.ts";

/** A function that runs curl with TLS checked and returns what it printed. */
function curl(server: TestServer, user: string, { certificate }: Workplace) {
  return async (path: string, ...options: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run([
      ...["curl", "--silent", "--show-error", "--verbose", "--cacert", certificate],
      ...["--user", `${user}:${PASSWORD}`, ...options],
      path.startsWith("imap://") ? path : `imaps://127.0.0.1:${server.tlsPort}/${path}`,
    ]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
}

clientTest(["curl"], "curl: lists, appends, fetches and searches by URL", async () => {
  await using server = await startServer();
  await using place = await workplace(server);
  const user = server.freshUser();
  const get = curl(server, user, place);
  const file = `${place.dir}/letter.eml`;

  assert.match(await get(""), /^\* LIST \(.*\) "\/" "?INBOX"?\r$/m);
  for (const [number, mail] of [letter(1), letter(2, "Zebra"), withAttachment()].entries()) {
    await Deno.writeTextFile(file, mail);
    await get("INBOX", "--upload-file", file);
    assert.match(await get("", "-X", "STATUS INBOX (MESSAGES)"), new RegExp(` ${number + 1}\\)`));
  }
  assert.equal(withoutCr(await get("INBOX;UID=2")), withoutCr(letter(2, "Zebra")));
  assert.equal(withoutCr(await get("INBOX;MAILINDEX=3")), withoutCr(withAttachment()));
  assert.equal(await get("INBOX;UID=3;SECTION=1"), "See the attachment.");
  assert.match(
    await get("INBOX;UID=2;SECTION=HEADER.FIELDS%20(SUBJECT)"),
    /^Subject: Zebra\r\n(\r\n)?$/,
  );
  assert.equal((await get("INBOX?SUBJECT%20zebra")).trim(), "* SEARCH 2");
  assert.equal((await get("INBOX?TEXT%20attachment")).trim(), "* SEARCH 3");
  assert.equal((await get("INBOX?FROM%20nobody")).trim(), "* SEARCH");
});

clientTest(["curl"], "curl: stores flags, expunges, copies and moves by -X", async () => {
  await using server = await startServer();
  await using place = await workplace(server);
  const user = server.freshUser();
  const get = curl(server, user, place);
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  for (let number = 1; number <= 4; number++) await client.append("INBOX", letter(number));

  await get("", "-X", "CREATE Kept");
  assert.match(await get("INBOX", "-X", "STORE 1 +FLAGS (\\Deleted)"), /^\* 1 FETCH .*\\Deleted/m);
  assert.match(await get("INBOX", "-X", "EXPUNGE"), /^\* 1 EXPUNGE\r$/m);
  await get("INBOX", "-X", "UID COPY 2 Kept");
  await get("INBOX", "-X", "UID MOVE 3 Kept");
  assert.match(await get("INBOX", "-X", "FETCH 1:* (UID)"), /UID 2\D[^]*UID 4\D/);
  assert.match(await get("", "-X", "STATUS Kept (MESSAGES UIDNEXT)"), /MESSAGES 2 UIDNEXT 3/);
  await client.ok("SELECT Kept");
  assert.deepEqual(await client.ok("SEARCH SUBJECT Letter"), ["* SEARCH 1 2"]);
});

clientTest(["curl"], "curl: takes STARTTLS with --ssl-reqd, and each kind of login", async () => {
  await using server = await startServer();
  await using place = await workplace(server);
  const user = server.freshUser();
  const get = curl(server, user, place);
  const plain = `imap://127.0.0.1:${server.port}/`;

  assert.match(await get(plain, "--ssl-reqd"), /^\* LIST .*INBOX/m);
  for (const login of ["AUTH=PLAIN", "AUTH=*"]) {
    assert.match(await get(plain, "--ssl-reqd", "--login-options", login), /^\* LIST .*INBOX/m);
  }
  assert.match(await get("", "--sasl-ir"), /^\* LIST .*INBOX/m);

  const wrong = await run([
    ...["curl", "--silent", "--cacert", place.certificate, "--user", `${user}:wrong`],
    `imaps://127.0.0.1:${server.tlsPort}/`,
  ]);
  assert.equal(wrong.code, 67, "curl's status for a refused login");
});
