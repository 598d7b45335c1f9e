/** What is compared with Dovecot, and what of it the documentation shows. */

/** Figures of the two servers by their names in `bench_imap.py`. */
export interface Figures {
  readonly imapd: ReadonlyMap<string, number>;
  readonly dovecot: ReadonlyMap<string, number>;
}

interface Row {
  readonly what: string;
  /** Names of figures; several are shown in one cell. */
  readonly names: readonly string[];
  /** How many times better than Dovecot each has to be. */
  readonly atLeast?: readonly number[];
  /** What each has to stay below, whatever Dovecot does. */
  readonly below?: readonly number[];
}

const ROWS: readonly Row[] = [
  {
    what: "a: login, SELECT, LOGOUT, one at a time / 16 at once (per s)",
    names: ["a.conc1.conn_per_s", "a.conc16.conn_per_s"],
    atLeast: [5, 5],
  },
  {
    what: "b: APPEND one by one / MULTIAPPEND of 50 (per s)",
    names: ["b.append.msgs_per_s", "b.multiappend.msgs_per_s"],
    atLeast: [1.2, 1.5],
  },
  ...fetched("FLAGS", "flags", 1.5, 1.5),
  ...fetched("ENVELOPE", "envelope", 10, 5),
  ...fetched("BODYSTRUCTURE", "bodystructure", 10, 1.3),
  ...fetched("header fields", "headers", 10, 2),
  {
    what: "d: bodies of 1:1000, cold / warm (MB/s)",
    names: ["d.bodies.cold_MBps", "d.bodies.warm_MBps"],
    atLeast: [1, 1],
  },
  { what: "d: bodies one by one (per s)", names: ["d.single.fetch_per_s"], atLeast: [1.2] },
  ...searched("UNSEEN", "unseen", 1),
  ...searched("FROM", "from", 2),
  ...searched("SUBJECT", "subject", 2),
  ...searched("TEXT", "text", 50),
  ...searched("BODY", "body", 50),
  ...searched("BODY without a hit", "body_nohit", 100),
  {
    what: "f: SORT (REVERSE DATE), cold / warm (ms)",
    names: ["f.sort_revdate.cold_s", "f.sort_revdate.warm_s"],
    atLeast: [1.5, 1.5],
  },
  { what: "f: SORT (SUBJECT), warm (ms)", names: ["f.sort_subject.warm_s"], atLeast: [1.5] },
  {
    what: "f: THREAD REFERENCES, cold / warm (ms)",
    names: ["f.thread_refs.cold_s", "f.thread_refs.warm_s"],
    atLeast: [1.5, 1.5],
  },
  { what: "g: STORE of all (ms)", names: ["g.store_all.cmd_s"], atLeast: [4] },
  { what: "g: STORE one by one (per s)", names: ["g.store_one.store_per_s"], atLeast: [3] },
  {
    what: "h: COPY / MOVE / EXPUNGE of 5,000 (ms)",
    names: ["h.copy.cmd_s", "h.move.cmd_s", "h.expunge.cmd_s"],
    atLeast: [1, 1.2, 1],
  },
  { what: "i: SELECT after a restart (ms)", names: ["i.select_big.cold_ms"], atLeast: [2] },
  { what: "i: SELECT again, p50 (ms)", names: ["i.select_big.p50_ms"], below: [0.25] },
  {
    what: "i: STATUS of 50, first / again (ms)",
    names: ["i.status50.first_s", "i.status50.warm_s"],
    atLeast: [2, 2],
  },
  { what: "i: LIST of 500, p50 (ms)", names: ["i.list.p50_ms"], atLeast: [1.5] },
  { what: "i: LIST RETURN (STATUS) of 500 (ms)", names: ["i.list_status.cmd_ms"], atLeast: [5] },
  {
    what: "i: CREATE / DELETE (per s)",
    names: ["i.create.box_per_s", "i.delete.box_per_s"],
  },
  {
    what: "j: APPEND elsewhere to EXISTS in IDLE, p50 / p99 (ms)",
    names: ["j.idle.from_send_p50_ms", "j.idle.from_send_p99_ms"],
    below: [5, 20],
  },
  { what: "l: mixed load, 50 sessions (commands/s)", names: ["l.total.cmd_per_s"], atLeast: [2] },
  { what: "l: p99 of NOOP in it (ms)", names: ["l.NOOP.p99_ms"], below: [25] },
  { what: "l: p50 / p99 of all (ms)", names: ["l.all.p50_ms", "l.all.p99_ms"] },
];

function fetched(what: string, name: string, first: number, warm: number): readonly Row[] {
  return [{
    what: `c: \`FETCH 1:*\` ${what}, first / after a restart / warm (ms)`,
    names: ["first", "cold", "warm"].map((when) => `c.${name}.${when}_s`),
    atLeast: [first, warm, warm],
  }];
}

function searched(what: string, name: string, atLeast: number): readonly Row[] {
  return [{
    what: `e: SEARCH ${what}, cold / warm (ms)`,
    names: ["cold", "warm"].map((when) => `e.${name}.${when}_s`),
    atLeast: [atLeast, atLeast],
  }];
}

/** The figures as a table in Markdown; rows without figures are left out. */
export function comparisonTable({ imapd, dovecot }: Figures): string {
  const lines = [
    "| workload | imapd | Dovecot | ratio | at least |",
    "| --- | --- | --- | --- | --- |",
  ];
  for (const { what, names, atLeast, below } of ROWS) {
    if (!names.every((name) => imapd.has(name))) continue;
    const ratios = names.map((name) => ratioOf(name, imapd.get(name), dovecot.get(name)));
    const wanted = atLeast?.join(" / ") ?? below?.map((most) => `below ${most}`).join(" / ") ?? "";
    const cells = [what, shown(names, imapd), shown(names, dovecot), ratios.join(" / "), wanted];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

/** How many times better imapd is; names tell whether more is better. */
function ratioOf(name: string, ours: number | undefined, theirs: number | undefined): string {
  if (!ours || !theirs) return "–";
  return digits(/_per_s$|MBps$/.test(name) ? ours / theirs : theirs / ours);
}

function shown(names: readonly string[], figures: ReadonlyMap<string, number>): string {
  return names.map((name) => digits(inMilliseconds(name, figures.get(name)))).join(" / ");
}

/** All times are shown in ms; some figures are seconds. */
function inMilliseconds(name: string, figure: number | undefined): number | undefined {
  return figure !== undefined && /[^r]_s$/.test(name) ? figure * 1000 : figure;
}

function digits(figure: number | undefined): string {
  if (figure === undefined) return "–";
  return figure >= 100 ? figure.toFixed(0) : String(Number(figure.toPrecision(2)));
}
