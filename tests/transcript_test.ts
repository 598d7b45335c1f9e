import { PASSWORD, startServer, type TestServer } from "./harness.ts";
import { capabilitiesOf, missing, play, type Stage } from "./transcript.ts";
import { readTranscripts, type Transcript } from "./transcript_format.ts";
import { PATIENCE, type ServerAddress } from "./client.ts";

/** In milliseconds; Dovecot answers a failed login up to 17 s late. */
const PEER_PATIENCE = 20_000;
/** Transcripts that are played at once: most of them wait more than they work. */
const AT_ONCE = 4;
const FOLDER = new URL("./transcripts/", import.meta.url);

for (const { name } of [...Deno.readDirSync(FOLDER)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".txt")) continue;
  const file = `tests/transcripts/${name}`;
  Deno.test(file, async (t) => {
    const transcripts = readTranscripts(file, await Deno.readTextFile(new URL(name, FOLDER)));
    const peer = Deno.env.get("IMAPD_TRANSCRIPT_PEER");
    if (peer) return await playAll(t, transcripts, peerStage(peer));
    await using server = await startServer();
    await playAll(t, transcripts, ownStage(server));
  });
}

async function playAll(
  t: Deno.TestContext,
  transcripts: readonly Transcript[],
  stage: Stage,
): Promise<void> {
  const capabilities = await capabilitiesOf(stage);
  const waiting = transcripts.values();
  await Promise.all(Array.from({ length: stage.isPeer ? 1 : AT_ONCE }, async () => {
    for (const transcript of waiting) {
      await playOne(t, transcript, stage, missing(transcript, stage, capabilities));
    }
  }));
}

async function playOne(
  t: Deno.TestContext,
  transcript: Transcript,
  stage: Stage,
  lacks: readonly string[],
): Promise<void> {
  const skipped = lacks.length > 0 ? ` (skipped: the server lacks ${lacks.join(", ")})` : "";
  await t.step({
    name: `${transcript.line}: ${transcript.title}${skipped}`,
    ignore: lacks.length > 0,
    // Steps that run at once cannot be told apart by what they leave open; the test is looked at.
    sanitizeOps: false,
    sanitizeResources: false,
    sanitizeExit: false,
    fn: async () => {
      const outcome = await play(transcript, stage);
      if (outcome.name === "differs as expected") {
        console.log(`differs as expected: ${outcome.reason}\n  ${outcome.how}`);
      } else {
        for (const place of outcome.needless) console.log(`${place}: the peer does not differ`);
      }
    },
  });
}

function ownStage(server: TestServer): Stage {
  return {
    plain: { host: "127.0.0.1", port: server.port },
    tls: { host: "127.0.0.1", port: server.tlsPort },
    password: PASSWORD,
    patience: PATIENCE,
    isPeer: false,
    freshUser: server.freshUser,
    maildir: server.maildir,
  };
}

/** Another server, told by variables: docs/testing.md lists them. */
function peerStage(peer: string): Stage {
  const tls = Deno.env.get("IMAPD_TRANSCRIPT_TLS_PEER");
  const maildir = Deno.env.get("IMAPD_TRANSCRIPT_MAILDIR");
  const prefix = crypto.randomUUID().slice(0, 8);
  let users = 0;
  return {
    plain: address(peer),
    ...(tls ? { tls: address(tls) } : {}),
    password: Deno.env.get("IMAPD_TRANSCRIPT_PASSWORD") ?? "pass",
    patience: PEER_PATIENCE,
    isPeer: true,
    freshUser: () => `${prefix}x${++users}`,
    ...(maildir ? { maildir: (user: string) => maildir.replaceAll("{user}", user) } : {}),
  };
}

function address(text: string): ServerAddress {
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(port)) {
    throw new TypeError(`Expected a peer as "host:port": got "${text}"`);
  }
  return { host: text.slice(0, at), port };
}
