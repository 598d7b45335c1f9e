import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { createLog, memoryLog } from "../../src/log.ts";
import { formatSyslog, openSyslog } from "../../src/syslog.ts";

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("createLog() appends lines with timestamps to a file", () =>
  inFolder(async (dir) => {
    const path = `${dir}/log`;
    await Deno.writeTextFile(path, "before\n");
    const log = createLog([path], false);
    log.info("started {not a template}", { version: "1" });
    const connection = log.with({ conn: "a1" });
    connection.warn("odd", { what: "x y" });
    connection.with({ user: "ann" }).error("bad");
    log.debug("hidden");
    strictEqual(log.debugging, false);
    await log.close();
    const lines = (await Deno.readTextFile(path)).split("\n");
    strictEqual(lines.shift(), "before");
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;
    for (const line of lines.slice(0, 3)) match(line, time);
    deepStrictEqual(lines.map((line) => line.replace(time, "")), [
      "started {not a template} version=1",
      'warning: odd conn=a1 what="x y"',
      "error: bad conn=a1 user=ann",
      "",
    ]);
  }));

Deno.test("Log.bug() keeps both ends of a stack whose message is long", () =>
  inFolder(async (dir) => {
    const log = createLog([`${dir}/a`], false);
    const lines: string[] = [];
    const error = new Error(`first ${"x".repeat(1_000_000)} last`);
    for (const each of [log, memoryLog(lines)]) {
      each.bug(error, { id: "7" });
      each.bug(new Error("short"));
      each.bug("thrown");
    }
    await log.close();
    const written = (await Deno.readTextFile(`${dir}/a`)).split("\n").slice(0, -1);
    for (const [long, short, thrown] of [written, lines]) {
      match(long, /error: bug id=7 stack="Error: first x+…x+ last.* at .*log_test\.ts/);
      ok(long.length < 10_000);
      match(short, /error: bug stack="Error: short\\n {4}at .*log_test\.ts/);
      match(thrown, /error: bug stack=thrown$/);
    }
  }));

Deno.test("createLog() shows debug lines when asked, and writes to several targets", () =>
  inFolder(async (dir) => {
    const log = createLog([`${dir}/a`, `${dir}/b`], true);
    strictEqual(log.debugging, true);
    strictEqual(log.with({}).debugging, true);
    log.debug("detail", { n: 1 });
    await log.close();
    match(await Deno.readTextFile(`${dir}/a`), / debug: detail n=1\n$/);
    strictEqual(await Deno.readTextFile(`${dir}/b`), await Deno.readTextFile(`${dir}/a`));
  }));

Deno.test("createLog() writes each format, and the ending last", () =>
  inFolder(async (dir) => {
    for (const format of ["text", "logfmt", "json"] as const) {
      const log = createLog([`${dir}/${format}`], false, format);
      log.with({ conn: "7" }).warn("it failed", { a: 1 }, { z: "x y", b: 2 });
      await log.close();
    }
    const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
    for (
      const [format, line] of [
        ["text", String.raw`${time} warning: conn=7 a=1 it failed\t\{"z":"x y","b":2\}`],
        ["logfmt", `time=${time} level=warning msg="it failed" conn=7 a=1 z="x y" b=2`],
        [
          "json",
          `\\{"time":"${time}","level":"warning","msg":"it failed","conn":"7","a":1,"z":"x y","b":2\\}`,
        ],
      ]
    ) match(await Deno.readTextFile(`${dir}/${format}`), new RegExp(`^${line}\n$`));
  }));

Deno.test("createLog() fails when a file cannot be opened", () => {
  throws(
    () => createLog(["off", "/nonexistent/log"], false),
    /^Error: log: cannot open "\/nonexistent\/log": /,
  );
});

Deno.test("memoryLog() keeps lines", () => {
  const lines: string[] = [];
  const log = memoryLog(lines, false);
  log.with({ a: 1 }).info("x", { b: 2 });
  log.debug("hidden");
  deepStrictEqual(lines, ["info: x a=1 b=2"]);
});

Deno.test("formatSyslog() has facility mail and the severity", () => {
  const time = new Date(2026, 0, 5, 7, 8, 9);
  strictEqual(formatSyslog("x a=1", "info", time, 42), "<22>Jan  5 07:08:09 imapd[42]: x a=1");
  strictEqual(formatSyslog("x", "error", time, 42), "<19>Jan  5 07:08:09 imapd[42]: x");
});

Deno.test("openSyslog() sends each line as one datagram", () =>
  inFolder(async (dir) => {
    const path = `${dir}/log`;
    const daemon = Deno.listenDatagram({ transport: "unixpacket", path });
    try {
      const sink = openSyslog(path);
      sink.write("first", "info", new Date());
      sink.write("second", "warning", new Date());
      await sink.close();
      for (const expected of [/^<22>.*: first$/, /^<20>.*: second$/]) {
        const [bytes] = await daemon.receive();
        match(new TextDecoder().decode(bytes), expected);
      }
    } finally {
      daemon.close();
    }
  }));

Deno.test("openSyslog() survives a daemon that goes away", () =>
  inFolder(async (dir) => {
    const path = `${dir}/log`;
    const daemon = Deno.listenDatagram({ transport: "unixpacket", path });
    const sink = openSyslog(path);
    daemon.close();
    await Deno.remove(path).catch(() => {});
    sink.write("lost", "info", new Date());
    await sink.close();
    throws(() => openSyslog(path), /Expected .*\/log to be the socket of a syslog daemon/);
  }));

Deno.test("openSyslog() refuses what is no socket", () =>
  inFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    throws(() => openSyslog(`${dir}/file`), /socket of a syslog daemon/);
  }));
