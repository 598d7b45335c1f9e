/**
 * Compares this server with Debian's Dovecot: `deno run -A bench/beside_dovecot.ts [OPTION…]`, as
 * root. Both have Maildirs on the same disk, plain-text passwords and fsync on; the workloads run in
 * turns, and the medians come out as a table.
 *
 *     --rounds N       how often each workload runs on each server (3)
 *     --scale X        part of the messages and mailboxes (1)
 *     --only LETTERS   workloads of bench_imap.py, such as a,c
 *     --tls            over TLS, from the first byte
 *     --program FILE   the compiled program in place of the source
 *     --dir DIR        where both work, made anew (a temporary folder)
 *     --write          put the table into docs/performance.md
 */

import { parseArgs } from "node:util";
import { comparisonTable, type Figures } from "./comparison.ts";
import { print } from "../src/cli/output.ts";

const HERE = new URL(".", import.meta.url).pathname;
const DOCUMENT = `${HERE}../docs/performance.md`;
const PORTS = { imapd: [27143, 27993], dovecot: [27144, 27994] } as const;
type Peer = keyof typeof PORTS;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    only: { type: "string", default: "a,b,c,d,e,f,g,h,i,j,l" },
    tls: { type: "boolean", default: false },
    program: { type: "string" },
    dir: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

const MARKERS = options.tls ? "beside-tls" : "beside-plain";
const dir = options.dir ?? await Deno.makeTempDir({ prefix: "imapd-bench-" });
const environment = { DENO: Deno.execPath(), PROGRAM: options.program ?? "" };

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(command, {
    args: [...args],
    env: environment,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
}

function peer(which: Peer, action: string): string[] {
  return [`${HERE}peer`, which, action, `${dir}/${which}`];
}

/** Arguments of bench_imap.py for one of the two. */
function serverArguments(which: Peer, prefix: "" | "vs-"): string[] {
  const port = PORTS[which][options.tls ? 1 : 0];
  return [
    ...prefix === "" ? ["--host", "127.0.0.1", "--port", `${port}`] : ["--vs", `127.0.0.1:${port}`],
    `--${prefix}name=${which}`,
    `--${prefix}pid-cmd=${peer(which, "pid").join(" ")}`,
    `--${prefix}restart-cmd=${peer(which, "restart").join(" ")}`,
  ];
}

async function measure(): Promise<Figures> {
  const out = `${dir}/result.json`;
  await run(
    "python3",
    `${HERE}bench_imap.py`,
    ...serverArguments("imapd", ""),
    ...serverArguments("dovecot", "vs-"),
    ...options.tls ? ["--ssl"] : [],
    ...["rounds", "scale", "only"].map((name) => `--${name}=${Reflect.get(options, name)}`),
    `--out=${out}`,
    `--table=${dir}/result.txt`,
  );
  const { servers }: {
    servers: { name: Peer; results: Record<string, (number | null)[]> }[];
  } = JSON.parse(await Deno.readTextFile(out));
  const figuresOf = (which: Peer) => {
    const results = servers.find(({ name }) => name === which)?.results ?? {};
    return new Map(
      Object.entries(results).flatMap(([name, all]) => {
        const numbers = all.filter((figure) => typeof figure === "number").sort((a, b) => a - b);
        return numbers.length === 0 ? [] : [[name, numbers[numbers.length >> 1]] as const];
      }),
    );
  };
  return { imapd: figuresOf("imapd"), dovecot: figuresOf("dovecot") };
}

/** Replaces what stands between the markers of that name. */
async function writeBetween(name: string, text: string): Promise<void> {
  const document = await Deno.readTextFile(DOCUMENT);
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} must have ${begin} and ${end}`);
  const before = document.slice(0, from + begin.length);
  await Deno.writeTextFile(DOCUMENT, `${before}\n\n${text}\n\n${document.slice(to)}`);
}

// Dovecot's processes are another user's.
if (options.dir === undefined) await Deno.chmod(dir, 0o755);
if (options.write) await writeBetween(MARKERS, "");

try {
  for (const which of ["imapd", "dovecot"] as const) await run(...head(peer(which, "start")));
  const table = comparisonTable(await measure());
  print(table);
  if (options.write) await writeBetween(MARKERS, table);
} finally {
  for (const which of ["imapd", "dovecot"] as const) await run(...head(peer(which, "stop")));
  if (options.dir === undefined) await Deno.remove(dir, { recursive: true });
}

function head([command, ...args]: string[]): [string, ...string[]] {
  return [command, ...args];
}
