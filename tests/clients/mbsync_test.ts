import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { letter, withoutCr } from "./mail.ts";
import { clientTest, run, type Workplace, workplace } from "./programs.ts";
import { mailboxes, serverSnapshot, treeSnapshot } from "./snapshot.ts";

/** A whole account, both ways, with nothing set but what mbsync asks for. */
function config(server: TestServer, user: string, { dir, certificate }: Workplace): string {
  return `IMAPAccount test
Host localhost
Port ${server.tlsPort}
User ${user}
Pass ${PASSWORD}
SSLType IMAPS
CertificateFile ${certificate}

IMAPStore remote
Account test

MaildirStore local
Path ${dir}/mail/
Inbox ${dir}/mail/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
Expunge Both
SyncState *
`;
}

/** Files of a local folder's `new/` and `cur/`, with the text of each. */
async function localMessages(folder: string): Promise<{ path: string; text: string }[]> {
  const messages = [];
  for (const part of ["new", "cur"]) {
    for await (const { name } of Deno.readDir(`${folder}/${part}`)) {
      const path = `${folder}/${part}/${name}`;
      messages.push({ path, text: await Deno.readTextFile(path) });
    }
  }
  return messages;
}

async function findLocal(folder: string, text: string) {
  const found = (await localMessages(folder)).filter((message) => message.text.includes(text));
  assert.equal(found.length, 1, `Expected one message with ${text} in ${folder}`);
  return found[0];
}

async function makeFolder(folder: string): Promise<void> {
  for (const part of ["tmp", "new", "cur"]) {
    await Deno.mkdir(`${folder}/${part}`, { recursive: true });
  }
}

clientTest(
  ["mbsync"],
  "mbsync: syncs folders, messages, flags and deletions both ways, then has nothing to do",
  async () => {
    await using server = await startServer();
    await using place = await workplace(server);
    const user = server.freshUser();
    const mail = `${place.dir}/mail`;
    const rc = `${place.dir}/mbsyncrc`;
    await Deno.mkdir(mail);
    await Deno.writeTextFile(rc, config(server, user, place));
    await Deno.chmod(rc, 0o600);
    const env = { HOME: place.dir };

    async function sync() {
      const { code, stdout, stderr } = await run(["mbsync", "-c", rc, "-a", "-V"], { env });
      assert.equal(code, 0, `${stdout}${stderr}`);
      assert.doesNotMatch(stderr, /error|warning/i);
    }

    await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
    await client.append("INBOX", letter(1));
    await client.append("INBOX", letter(2), "(\\Seen)");
    await client.append("INBOX", letter(3), "(\\Flagged \\Answered)");
    await client.ok('CREATE "Projects/Far side"');
    await client.append("Projects/Far side", letter(4), "(\\Draft)");
    await makeFolder(`${mail}/INBOX`);
    await makeFolder(`${mail}/Near`);
    await Deno.writeTextFile(`${mail}/Near/cur/1.local.host:2,S`, withoutCr(letter(5)));
    await Deno.writeTextFile(`${mail}/INBOX/new/2.local.host`, withoutCr(letter(6)));

    await sync();
    assert.equal((await localMessages(`${mail}/INBOX`)).length, 4);
    const third = await findLocal(`${mail}/INBOX`, "letter-3@");
    assert.match(third.path, /:2,FR$/);
    assert.equal(third.text.includes("Grüße aus Zürich."), true);
    assert.match((await findLocal(`${mail}/Projects/Far side`, "letter-4@")).path, /:2,D$/);
    assert.ok((await mailboxes(client)).includes("Near"));
    await client.ok("EXAMINE Near");
    const [near] = await client.ok("FETCH 1 (FLAGS BODY.PEEK[TEXT])");
    assert.match(near, /\\Seen/);
    assert.ok(near.includes(latin1(letter(5).split("\r\n\r\n")[1])));

    async function nothingToDo() {
      const before = { server: await serverSnapshot(client), tree: await treeSnapshot(mail) };
      assert.ok(Object.keys(before.tree).length > 0);
      await sync();
      assert.deepEqual(await serverSnapshot(client), before.server);
      assert.deepEqual(await treeSnapshot(mail), before.tree);
    }
    await nothingToDo();

    await client.ok("SELECT INBOX");
    await client.ok("STORE 1 +FLAGS (\\Flagged)");
    await client.ok("STORE 2 +FLAGS (\\Deleted)");
    await client.ok("CLOSE");
    await client.ok("CREATE Later");
    await client.append("Later", letter(7));
    const sixth = await findLocal(`${mail}/INBOX`, "letter-6@");
    await Deno.rename(
      sixth.path,
      `${sixth.path.replace("/new/", "/cur/").replace(/:2,.*/, "")}:2,S`,
    );
    await Deno.rename(third.path, third.path.replace(/:2,FR$/, ":2,FRT"));
    await makeFolder(`${mail}/Later still`);
    await Deno.writeTextFile(`${mail}/Later still/new/3.local.host`, withoutCr(letter(8)));

    await sync();
    assert.match((await findLocal(`${mail}/INBOX`, "letter-1@")).path, /:2,F$/);
    assert.equal((await localMessages(`${mail}/INBOX`)).length, 2);
    assert.ok(await findLocal(`${mail}/Later`, "letter-7@"));
    await client.ok("EXAMINE INBOX");
    assert.deepEqual(await client.ok("SEARCH ALL"), ["* SEARCH 1 2"]);
    assert.deepEqual(await client.ok("SEARCH SEEN HEADER Message-ID letter-6@"), ["* SEARCH 2"]);
    await client.ok('EXAMINE "Later still"');
    assert.deepEqual(await client.ok("SEARCH ALL"), ["* SEARCH 1"]);
    await client.ok("UNSELECT");
    await nothingToDo();

    await client.ok("SELECT INBOX");
    await client.ok("MOVE 1 Later");
    await client.ok("UNSELECT");
    await sync();
    assert.equal((await localMessages(`${mail}/INBOX`)).length, 1);
    assert.match((await findLocal(`${mail}/Later`, "letter-1@")).path, /:2,F$/);
    await nothingToDo();
  },
);

/** The text as {@link RawConnection} gives it: one char is one byte. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
