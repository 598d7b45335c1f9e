/** Real programs that write into a Maildir on their own. */

import { existsSync } from "node:fs";
import { isInstalled, run } from "../clients/programs.ts";
import { certificateOf } from "../clients/certificate.ts";
import { PASSWORD, type TestServer } from "../harness.ts";
import type { Random } from "../model/random.ts";
import { DovecotProcess, prepareDovecot } from "./dovecot_process.ts";
import { connected, lookAt } from "./session.ts";
import { messageText } from "./soak_message.ts";
import type { TrueMailbox } from "./true_account.ts";

/**
 * SEARCH keys by the last digit of a message's number: those of the first three nobody moves, and
 * only who appended one of them expunges it. What two programs move at once is in two places, as
 * they make links.
 */
export const MOVED_BY_SESSIONS = without([0, 1, 2, 3, 4, 5]);
const MOVED_BY_DOVECOT = without([0, 1, 2, 6, 7, 8, 9]);

function without(digits: readonly number[]): string {
  return digits.map((digit) => `NOT HEADER Message-ID "${digit}@"`).join(" ");
}

/** What a writer is given. */
export interface Place {
  readonly server: TestServer;
  /** Into whose Maildir it writes. */
  readonly user: string;
  /** Another account. */
  readonly other: string;
  readonly random: Random;
  /** A number for a message. */
  next(): number;
  /** The sessions are at their end. */
  ended(): boolean;
}

/** One program at work. */
export interface Running extends AsyncDisposable {
  readonly delivered: ReadonlySet<number>;
  /** What it may have removed. */
  readonly expunged: ReadonlySet<number>;
  /** Waits until it has done what it had begun. */
  finish(): Promise<void>;
  /** Compares what it sees with what is there. */
  verify?(truth: readonly TrueMailbox[]): Promise<void>;
}

/** A program, or some of one kind. */
export interface OtherWriter {
  readonly name: string;
  readonly programs: readonly string[];
  start(place: Place): Promise<Running>;
}

/** What is not installed. */
export function missingPrograms({ programs }: OtherWriter): string[] {
  return programs.filter((program) =>
    program.startsWith("/") ? !existsSync(program) : !isInstalled(program)
  );
}

/** Delivers, takes messages from `new/` to `cur/`, and changes flags by renaming. */
const SCRIPT = `
set -u
cd "$1"
n=$2
while [ ! -e "$3" ]; do
  n=$((n + 1))
  sleep 0.05
  for file in $(ls cur | head -n 40); do
    case $file in
      *:2,*S*) to=$(printf '%s' "$file" | sed 's/\\(:2,.*\\)S/\\1/') ;;
      *:2,*) to=$(printf '%s' "$file" | sed 's/:2,\\([DFR]*\\)/:2,\\1S/') ;;
      *) to=$file:2, ;;
    esac
    if [ $((n % 3)) = 0 ]; then mv -n "cur/$file" "cur/$to" 2>/dev/null; fi
    n=$((n + 1))
  done
  for file in $(ls new | head -n 5); do mv -n "new/$file" "cur/$file:2,S" 2>/dev/null; done
done
exit 0
`;

const script: OtherWriter = {
  name: "a shell script that delivers and renames",
  programs: ["sh", "sed", "mv"],
  async start({ server, user, next, ended, random }) {
    const maildir = server.maildir(user);
    const end = `${server.dir}/end`;
    const running = ["", "/.Box"].map((folder, i) =>
      new Deno.Command("sh", {
        args: ["-c", SCRIPT, "sh", maildir + folder, String(i * 1000), end],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output()
    );
    const delivered = new Set<number>();
    const delivering = (async () => {
      while (!ended()) {
        const token = next();
        const name = `${1_700_000_000 + token}.M${token}P2.script`;
        const folder = maildir + random.pick(["", "/.Box"]);
        Deno.writeTextFileSync(`${folder}/tmp/${name}`, withLf(token));
        await run(["mv", `${folder}/tmp/${name}`, `${folder}/new/${name}`]);
        delivered.add(token);
        await pause(random.below(30));
      }
    })();
    const finish = async () => {
      await delivering;
      Deno.writeTextFileSync(end, "");
      for (const { code } of await Promise.all(running)) {
        if (code !== 0) throw new Error(`The script ended with status ${code}`);
      }
    };
    return await Promise.resolve({
      delivered,
      expunged: new Set<number>(),
      finish,
      [Symbol.asyncDispose]: finish,
    });
  },
};

const dovecot: OtherWriter = {
  name: "Dovecot's LDA and imap",
  programs: ["/usr/lib/dovecot/dovecot-lda", "/usr/lib/dovecot/imap"],
  async start({ server, user, next, ended, random }) {
    const config = await prepareDovecot(server, user);
    const delivered = new Set<number>();
    const expunged = new Set<number>();
    const delivering = (async () => {
      while (!ended()) {
        const token = next();
        await config.deliver(withLf(token));
        delivered.add(token);
        await pause(random.below(30));
      }
    })();
    const imap = new DovecotProcess(config, user);
    const working = (async () => {
      while (!ended()) await dovecotStep(imap, random);
      await imap.end();
    })();
    return {
      delivered,
      expunged,
      async finish() {
        await Promise.all([delivering, working]);
      },
      [Symbol.asyncDispose]: () => imap.end(),
      async verify(truth: readonly TrueMailbox[]) {
        const look = new DovecotProcess(config, user);
        try {
          for (const name of ["INBOX", "Box"]) await sameInDovecot(look, name, truth);
        } finally {
          await look.end();
        }
      },
    };
  },
};

/** Flags, copies to be expunged, and moves: what users of Dovecot do. */
async function dovecotStep(imap: DovecotProcess, random: Random): Promise<void> {
  await imap.command(`SELECT ${random.pick(["INBOX", "Box"])}`);
  const found = (await imap.command(`UID SEARCH ${MOVED_BY_DOVECOT}`)).find((line) =>
    /SEARCH/.test(line)
  );
  const some = random.some(found?.split(" ").slice(2) ?? [], 4).join(",");
  if (some === "") return;
  const flag = random.pick(["\\Seen", "\\Flagged", "\\Draft"]);
  if (random.chance(0.7)) {
    await imap.command(`UID STORE ${some} ${random.pick(["+", "-"])}FLAGS (${flag})`);
  } else await imap.command(`UID MOVE ${some} ${random.pick(["INBOX", "Box"])}`);
}

async function sameInDovecot(
  look: DovecotProcess,
  name: string,
  truth: readonly TrueMailbox[],
): Promise<void> {
  await look.command(`EXAMINE ${name}`);
  const lines = await look.command("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
  const told = lines.join("\n").match(/Subject: soak (\d+)/g)?.length ?? 0;
  const there = truth.find((box) => box.name === name)?.messages.size ?? 0;
  if (told !== there) throw new Error(`${name}: Dovecot sees ${told} messages, not ${there}`);
}

/** With its local side in the Maildir itself, and another account as the far side. */
const mbsync: OtherWriter = {
  name: "mbsync that syncs the Maildir itself with another account",
  programs: ["mbsync"],
  async start({ server, user, other, next, ended, random }) {
    const dir = await Deno.makeTempDir({ prefix: "imapd-mbsync-" });
    const rc = `${dir}/mbsyncrc`;
    await Deno.writeTextFile(`${dir}/certificate.pem`, await certificateOf(server.tlsPort));
    const config = () =>
      Deno.writeTextFile(rc, mbsyncConfig(server, user, other, dir), { mode: 0o600 });
    await config();
    const sync = async () => {
      const { code, stdout, stderr } = await run(["mbsync", "-c", rc, "-a"], {
        env: { HOME: dir },
      });
      return { code, text: stdout + stderr };
    };
    const delivered = new Set<number>();
    const working = (async () => {
      while (!ended()) {
        const token = next();
        await appendTo(server, other, token);
        delivered.add(token);
        await sync();
        await pause(random.below(20));
      }
    })();
    return {
      delivered,
      expunged: new Set<number>(),
      async finish() {
        await working;
        // What came last, and the answers to that.
        for (let i = 0; i < 3; i++) {
          const { code, text } = await sync();
          if (code !== 0 && i === 2) throw new Error(`mbsync: ${text}`);
        }
      },
      async verify(truth: readonly TrueMailbox[]) {
        const { mailboxes: far } = await lookAt(server.port, other);
        const inbox = (boxes: readonly TrueMailbox[]) =>
          boxes.find(({ name }) => name === "INBOX")?.messages.values() ?? [];
        const of = (boxes: readonly TrueMailbox[]) =>
          [...inbox(boxes)].map(({ token, flags }) => `${token} ${flags}`).sort();
        if (JSON.stringify(of(far)) !== JSON.stringify(of(truth))) {
          throw new Error(`far: ${of(far)}\nnear: ${of(truth)}`);
        }
      },
      [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
    };
  },
};

function mbsyncConfig(server: TestServer, user: string, other: string, dir: string): string {
  return `IMAPAccount test
Host localhost
Port ${server.tlsPort}
User ${other}
Pass ${PASSWORD}
SSLType IMAPS
CertificateFile ${dir}/certificate.pem

IMAPStore remote
Account test

MaildirStore local
Inbox ${server.maildir(user)}
SubFolders Maildir++

Channel all
Far :remote:
Near :local:
Patterns INBOX
Expunge Both
SyncState ${dir}/
`;
}

async function appendTo(server: TestServer, user: string, token: number): Promise<void> {
  await using client = await connected(server.port, user);
  const { reply } = await client.append("INBOX", messageText(token));
  if (!reply.startsWith("OK")) throw new Error(`APPEND: ${reply}`);
}

function withLf(token: number): string {
  return messageText(token).replaceAll("\r\n", "\n");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** All that are tested. */
export const WRITERS: readonly OtherWriter[] = [script, dovecot, mbsync];
