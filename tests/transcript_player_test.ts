import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as net from "node:net";
import { play, type Stage } from "./transcript.ts";
import { readTranscripts } from "./transcript_format.ts";
import { Malformed, matchResponse } from "./transcript_match.ts";

function matches(pattern: string, response: string, captures = new Map<string, string>()): boolean {
  return matchResponse(pattern, response, captures);
}

Deno.test("matchResponse() wants every word of a line, unless `...` stands there", () => {
  ok(matches("a OK ...", "a OK [READ-WRITE] Done"));
  ok(matches("a OK [READ-WRITE] ...", "a OK [READ-WRITE] Done"));
  ok(!matches("a OK [READ-WRITE] ...", "a OK Done"));
  ok(!matches("a OK ...", "a NO Done"));
  ok(!matches("a OK ...", "b OK Done"));
  ok(matches("a NO|BAD ...", "a BAD What"));
  ok(!matches("a NO|BAD ...", "a OK Done"));
  ok(!matches("* 3 EXISTS", "* 4 EXISTS"));
  ok(!matches("* 3 EXISTS", "* 3 EXISTS 4"));
  ok(matches("* SEARCH 1 ...", "* SEARCH 1 2 3"));
  ok(!matches("* SEARCH 1", "* SEARCH 1 2 3"));
});

Deno.test("matchResponse() leaves open what the RFCs leave open", () => {
  ok(
    matches("* 1 FETCH (UID 2 FLAGS (\\Seen \\Draft))", "* 1 FETCH (FLAGS (\\Draft \\Seen) UID 2)"),
  );
  ok(
    matches(
      '* LIST (\\HasNoChildren) "/" Plans',
      '* LIST (\\UnMarked \\HasNoChildren) "/" "Plans"',
    ),
  );
  ok(matches("* STATUS INBOX (MESSAGES 1 UNSEEN 0)", '* STATUS "INBOX" (UNSEEN 0 MESSAGES 1)'));
  ok(matches('* 1 FETCH (BODY[] "x")', "* 1 FETCH (BODY[] {1}\r\nx)"));
  ok(matches("* 1 FETCH (BODY[] {1}\r\nx)", '* 1 FETCH (BODY[] "x")'));
});

Deno.test("matchResponse() finds what is too much or too little", () => {
  ok(!matches("* 1 FETCH (FLAGS (\\Seen))", "* 1 FETCH (FLAGS (\\Seen \\Recent))"));
  ok(!matches("* 1 FETCH (FLAGS (\\Seen \\Draft))", "* 1 FETCH (FLAGS (\\Seen))"));
  ok(!matches("* 1 FETCH (FLAGS ())", "* 1 FETCH (FLAGS () UID 1)"));
  ok(!matches("* 1 FETCH (FLAGS () UID 1)", "* 1 FETCH (FLAGS ())"));
  ok(matches("* 1 FETCH (FLAGS (\\Seen ...) ...)", "* 1 FETCH (FLAGS (\\Recent \\Seen) UID 1)"));
  ok(!matches("* 1 FETCH (BODY[1] NIL)", '* 1 FETCH (BODY[1] "NIL")'));
  ok(!matches("* 1 FETCH (BODY[] {3}\r\n...)", '* 1 FETCH (BODY[] "xyz")'));
  ok(!matches('* ESEARCH (TAG "a") COUNT 1', '* ESEARCH (TAG "a") UID COUNT 1'));
  ok(!matches('* ESEARCH (TAG "a") COUNT 1', '* ESEARCH (TAG "b") COUNT 1'));
});

Deno.test("matchResponse() captures at first and compares later, and only on success", () => {
  const captures = new Map<string, string>();
  ok(!matches("* STATUS a (UIDNEXT $next UNSEEN 1)", "* STATUS a (UIDNEXT 7 UNSEEN 2)", captures));
  strictEqual(captures.size, 0);
  ok(matches("* STATUS a (UIDNEXT $next)", "* STATUS a (UIDNEXT 7)", captures));
  deepStrictEqual([...captures], [["next", "7"]]);
  ok(matches("* OK [UIDNEXT $next] ...", "* OK [UIDNEXT 7] Next", captures));
  ok(!matches("* OK [UIDNEXT $next] ...", "* OK [UIDNEXT 8] Next", captures));
});

Deno.test("matchResponse() takes no malformed response, whatever is expected", () => {
  const malformed = [
    "a OK",
    "a OK ",
    "* OK [HIGHESTMODSEQ 1]",
    "+",
    "* 1 FETCH (FLAGS ( \\Seen))",
    "* 1 FETCH (FLAGS (\\Seen) )",
    "* 1 FETCH (FLAGS (\\Seen)",
    "* 1 FETCH  (FLAGS (\\Seen))",
    '* LIST () "/" "a\rb"',
    '* LIST () "/" "a\\b"',
    "* STATUS a (UIDNEXT 1) ",
  ];
  for (const response of malformed) {
    throws(() => matches("* ...", response), Malformed, response);
  }
});

Deno.test("readTranscripts() refuses lines that are none of the language, with their place", () => {
  const bad = [
    ["1 C: a NOOP", /^SyntaxError: t.txt:1: Expected "test TITLE" first/],
    [
      "test x\n1 D: a NOOP",
      /t.txt:2: Expected a line of the transcript language: got "1 D: a NOOP"/,
    ],
    ["test x\n\ngiven message m:\nSubject: x", /t.txt:3: Expected "end"/],
    ["test x", /t.txt:1: Expected a step/],
    ["test x\n1 C: a NOOP\npeer-differs: why", /t.txt:1: Expected a step at the end/],
  ] as const;
  for (const [source, error] of bad) {
    throws(() => readTranscripts("t.txt", source), (thrown) => error.test(`${thrown}`), source);
  }
});

Deno.test("readTranscripts() makes blocks of exact bytes", () => {
  const [{ blocks }] = readTranscripts(
    "t.txt",
    "test x\ngiven message m:\nä%{xFF}\n# no comment\nend\ngiven text t:\na\n%{b*3}\nend\n1 C: a NOOP\n",
  );
  strictEqual(blocks.get("m"), "\xc3\xa4\xff\r\n# no comment\r\n");
  strictEqual(blocks.get("t"), "a\r\nbbb");
});

/** Plays `source` against a server that greets and then answers each line from `script`. */
async function against(script: readonly string[], source: string, isPeer = false) {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    const answers = [...script];
    let text = "";
    socket.write("* OK [CAPABILITY IMAP4rev1] Ready\r\n");
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        text = text.slice(end + 2);
        const answer = answers.shift();
        if (answer !== undefined) socket.write(answer);
        else socket.end();
      }
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a port: got none");
  const stage: Stage = {
    plain: { host: "127.0.0.1", port: address.port },
    password: "secret",
    patience: 200,
    isPeer,
    freshUser: () => "u1",
  };
  try {
    const [transcript] = readTranscripts("t.txt", `test x\nno login\n1 S: * OK ...\n${source}`);
    return await play(transcript, stage);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

Deno.test("play() passes when all comes as expected", async () => {
  const script = [
    "* 3 EXISTS\r\n* 1 FETCH (UID 7)\r\na OK Done\r\n",
    "* SEARCH 7\r\nb OK Done\r\n",
  ];
  const source = "1 C: a X\n1 S: ...\n1 S: * 1 FETCH (UID $uid)\n1 S: a OK ...\n" +
    "1 C: b X $uid\n1 S: * SEARCH $uid\n1 S: b OK ...\ncheck $uid = 7\n1 C: c X\n1 closed";
  deepStrictEqual(await against(script, source), { name: "as expected", needless: [] });
});

Deno.test("play() names the line, what was expected and what came", async () => {
  await rejects(
    against(["* 2 EXPUNGE\r\na OK Done\r\n"], "1 C: a X\n1 S: a OK ..."),
    /^Error: t\.txt:5: expected "a OK \.\.\.", got "\* 2 EXPUNGE"$/,
  );
  await rejects(against(["a OK Done\r\n"], "1 C: a X\n1 S: * 1 EXISTS"), /t\.txt:5: expected/);
  await rejects(against(["a OK\r\n"], "1 C: a X\n1 S: a OK ..."), /t\.txt:5: .*got "a OK: /);
  await rejects(against([""], "1 C: a X\n1 S: a OK ..."), /t\.txt:5: .*got "silence"/);
  await rejects(against([], "1 C: a X\n1 S: a OK ..."), /t\.txt:5: .*the end of the connection/);
  await rejects(against(["a OK Done\r\n"], "1 C: a X\n1 closed"), /t\.txt:5: .*got "a OK Done"/);
  await rejects(against([], "1 C: a $none"), /t\.txt:4: .*\$none/);
});

Deno.test("play() catches what must not come among lines that are skipped", async () => {
  await rejects(
    against(
      ["* 3 EXPUNGE\r\na OK Done\r\n"],
      "1 C: a X\n1 !: * 3 EXPUNGE\n1 S: ...\n1 S: a OK ...",
    ),
    /t\.txt:7: expected "not \* 3 EXPUNGE", got "\* 3 EXPUNGE"/,
  );
});

Deno.test("play() takes a group in any order, but whole", async () => {
  const source = "1 C: a X\n1 U: * 1 EXISTS\n1 U: * 0 RECENT\n1 S: a OK ...";
  const swapped = await against(["* 0 RECENT\r\n* 1 EXISTS\r\na OK Done\r\n"], source);
  strictEqual(swapped.name, "as expected");
  await rejects(
    against(["* 0 RECENT\r\na OK Done\r\n"], source),
    /t\.txt:5: expected "\* 1 EXISTS"/,
  );
});

Deno.test("play() lets a peer differ at a marked step, and our own server not", async () => {
  const source = "1 C: a X\npeer-differs: because\n1 S: a OK ...";
  const outcome = await against(["a NO Never\r\n"], source, true);
  strictEqual(outcome.name, "differs as expected");
  if (outcome.name === "differs as expected") match(outcome.how, /got "a NO Never"/);
  await rejects(against(["a NO Never\r\n"], source), /t\.txt:6: expected "a OK/);
  deepStrictEqual(await against(["a OK Yes\r\n"], source, true), {
    name: "as expected",
    needless: ["t.txt:6"],
  });
});

Deno.test("play() waits for the continuation of a literal", async () => {
  const source = '1 C: a X {"abc"} {"de"+}\n1 S: a OK ...';
  const taken = await against(["+ Go on\r\n", "", "a OK Done\r\n"], source);
  strictEqual(taken.name, "as expected");
  await rejects(against(["a NO Too big\r\n"], source), /t\.txt:4: expected "\+ \.\.\.", got "a NO/);
});
