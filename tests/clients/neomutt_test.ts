import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { letter, withAttachment } from "./mail.ts";
import { clientTest, PATIENCE_MS, run, type Workplace, workplace } from "./programs.ts";

/** Where the server is and whom to trust; the rest only keeps neomutt from asking questions. */
function config(server: TestServer, user: string, { dir, certificate }: Workplace): string {
  return `set folder="imaps://127.0.0.1:${server.tlsPort}/"
set spoolfile="+INBOX"
set record=""
set imap_user="${user}"
set imap_pass="${PASSWORD}"
set certificate_file="${certificate}"
set tmpdir="${dir}"
set confirmappend=no
set confirmcreate=no
set delete=yes
set quit=yes
set wait_key=no
set sort=mailbox-order
`;
}

/** The command line of neomutt in a terminal of its own, that does `keys` and nothing else. */
function neomutt(rc: string, keys: string): string[] {
  return ["script", "-qec", `neomutt -n -F ${rc} -e 'push "${keys}"'`, "/dev/null"];
}

function environment({ dir }: Workplace): Record<string, string> {
  return { HOME: dir, TERM: "xterm", LC_ALL: "C.UTF-8" };
}

clientTest(
  ["neomutt", "script"],
  "neomutt: reads, searches on the server, copies, moves, flags and syncs",
  async () => {
    await using server = await startServer();
    await using place = await workplace(server);
    const user = server.freshUser();
    const rc = `${place.dir}/neomuttrc`;
    await Deno.writeTextFile(rc, config(server, user, place));
    await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
    await client.ok("CREATE Kept");
    await client.ok("CREATE Moved");
    for (const mail of [letter(1), letter(2), withAttachment(), letter(4)]) {
      await client.append("INBOX", mail);
    }

    const keys = [
      // "=b" is searched by the server, "~i" by neomutt
      "<limit>=b attachment<enter><display-message><exit>",
      `<pipe-message>cat > ${place.dir}/found<enter>`,
      "<limit>~i letter-2@<enter><copy-message>=Kept<enter>",
      "<limit>~i letter-4@<enter><save-message>=Moved<enter>",
      "<limit>all<enter><first-entry><flag-message>",
      "<sync-mailbox><quit>",
    ].join("");
    const { code, stdout } = await run(neomutt(rc, keys), { env: environment(place) });
    assert.equal(code, 0, stdout);

    assert.match(await Deno.readTextFile(`${place.dir}/found`), /See the attachment\./);
    await client.ok("EXAMINE Kept");
    assert.deepEqual(await client.ok("SEARCH SUBJECT {8+}\r\nLetter 2"), ["* SEARCH 1"]);
    await client.ok("EXAMINE Moved");
    assert.deepEqual(await client.ok("SEARCH HEADER Message-ID letter-4@"), ["* SEARCH 1"]);
    await client.ok("EXAMINE INBOX");
    assert.deepEqual(await client.ok("SEARCH ALL"), ["* SEARCH 1 2 3"]);
    assert.deepEqual(await client.ok("SEARCH FLAGGED"), ["* SEARCH 1"]);
    assert.deepEqual(await client.ok("SEARCH SEEN"), ["* SEARCH 3"]);
  },
);

clientTest(["neomutt", "script"], "neomutt: in IDLE sees mail that arrives", async () => {
  await using server = await startServer();
  await using place = await workplace(server);
  const user = server.freshUser();
  const rc = `${place.dir}/neomuttrc`;
  const seen = `${place.dir}/seen`;
  await Deno.writeTextFile(
    rc,
    `${config(server, user, place)}set imap_idle=yes
set timeout=1
set new_mail_command="cp ${rc} ${seen}"
`,
  );
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await client.append("INBOX", letter(1));

  const [program, ...args] = neomutt(rc, "");
  const child = new Deno.Command(program, {
    args,
    env: environment(place),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).spawn();
  const screen = watchScreen(child.stdout);
  await screen.shows(/Letter 1/);
  await client.append("INBOX", letter(2));
  await screen.shows(/Letter 2/);
  const keys = child.stdin.getWriter();
  await keys.write(new TextEncoder().encode("q"));
  await keys.close();
  assert.equal((await child.status).code, 0);
  await screen.ended;
  assert.match(await Deno.readTextFile(seen), /imap_idle/);
});

/** Reads what a terminal shows, so that a test can wait for a text. */
function watchScreen(output: ReadableStream<Uint8Array>) {
  let text = "";
  let open = true;
  let wake = () => {};
  const ended = (async () => {
    for await (const chunk of output.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      wake();
    }
    open = false;
    wake();
  })();
  return {
    ended,
    /** Settles once `pattern` has been shown; fails when the program ends before. */
    async shows(pattern: RegExp): Promise<void> {
      while (open && !pattern.test(text)) await new Promise<void>((resolve) => wake = resolve);
      assert.match(text, pattern);
    },
  };
}
