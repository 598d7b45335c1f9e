/** Structured logging. Every line has an event's text and fields; secrets never reach it. */

import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { formatRecord, type LogFields, type LogFormat, type LogLevel } from "./log_format.ts";
import { openSyslog } from "./syslog.ts";

export type { LogFields } from "./log_format.ts";

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  /** @param ending fields that end the line in any format, for programs that look for them there */
  warn(event: string, fields?: LogFields, ending?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** An error that should not be: its stack, of which the middle is left out where it is long. */
  bug(error: unknown, fields?: LogFields): void;
  /** A log whose lines all carry `fields` too. */
  with(fields: LogFields): Log;
  /** A log that writes debug lines, or none. */
  debugged(debugging: boolean): Log;
  /** False spares the caller from making fields that nobody reads. */
  readonly debugging: boolean;
}

/** A log with somewhere to go; nothing may be logged after `close`. */
export interface OpenLog extends Log {
  /** Opens its files anew, after they were renamed. One that cannot be opened is written to as before. */
  reopen(): void;
  /** Waits until all lines are out. */
  close(): Promise<void>;
}

/** One place that lines go to. */
export interface LogSink {
  /** What the place does not know by itself. */
  readonly wants: { readonly time: boolean; readonly level: boolean };
  write(line: string, level: LogLevel, time: Date): void;
  /** Only files have one. @throws {Error} when the file cannot be opened */
  reopen?(): void;
  close(): Promise<void>;
}

/**
 * Opens the log of the process. There is one at a time: opening another takes over.
 *
 * @param targets "stderr", "stderr_ts", "syslog", "off", or paths of files to append to
 * @throws {Error} when a file or the syslog socket cannot be opened; the message names `log`
 */
export function createLog(
  targets: readonly string[],
  debug: boolean,
  format: LogFormat = "text",
): OpenLog {
  const sinks = targets.flatMap((target) => {
    try {
      return openSink(target);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Error(`log: cannot open "${target}": ${reason}`, { cause: error });
    }
  });
  configureSync({
    reset: true,
    sinks: { all: (record) => sinks.forEach((sink) => writeRecord(sink, format, record)) },
    loggers: [
      // Each log knows for itself whether it writes debug lines.
      { category: "imapd", sinks: ["all"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["all"], lowestLevel: "warning" },
    ],
  });
  const log = new LoggerLog(getLogger("imapd"), debug);
  return Object.assign(log, {
    reopen() {
      for (const sink of sinks) {
        try {
          sink.reopen?.();
        } catch (error) {
          log.error("log file cannot be opened anew", { error: String(error) });
        }
      }
    },
    close: async () => {
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  });
}

function openSink(target: string): LogSink[] {
  switch (target) {
    case "off":
      return [];
    case "stderr":
      return [stderrSink(false)];
    case "stderr_ts":
      return [stderrSink(true)];
    case "syslog":
      return [openSyslog()];
    default:
      return [openFile(target)];
  }
}

/** Where a record has the fields that end its line: no other field has such a name. */
const ENDING = "\0ending";

type Properties = LogFields & { readonly [ENDING]?: LogFields };

function writeRecord(sink: LogSink, format: LogFormat, record: LogRecord): void {
  const event = typeof record.rawMessage === "string" ? record.rawMessage : "";
  const level = record.level === "fatal" || record.level === "error"
    ? "error"
    : record.level === "trace"
    ? "debug"
    : record.level;
  const { [ENDING]: ending, ...fields } = record.properties as Properties;
  const time = new Date(record.timestamp);
  const head = { level: sink.wants.level, time: sink.wants.time ? time : undefined };
  sink.write(
    formatRecord(format, { event, level, fields, ending }, head),
    level,
    time,
  );
}

function stderrSink(timestamps: boolean): LogSink {
  const encoder = new TextEncoder();
  return {
    wants: { time: timestamps, level: true },
    write: (line) => writeAll(Deno.stderr, encoder.encode(`${line}\n`)),
    close: () => Promise.resolve(),
  };
}

function openFile(path: string): LogSink {
  const encoder = new TextEncoder();
  const open = () => Deno.openSync(path, { append: true, create: true, mode: 0o640 });
  let file = open();
  return {
    wants: { time: true, level: true },
    write: (line) => writeAll(file, encoder.encode(`${line}\n`)),
    reopen() {
      const old = file;
      file = open();
      old.close();
    },
    async close() {
      await file.sync();
      file.close();
    },
  };
}

/** A log must never be the reason that the server stops: a full disk or a closed pipe loses lines. */
function writeAll(file: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  } catch {
    return;
  }
}

/** A class, since there is one for each connection. */
class LoggerLog implements Log {
  constructor(private readonly logger: Logger, readonly debugging: boolean) {}

  debug(event: string, fields?: LogFields): void {
    if (this.debugging) this.logger.debug(event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.logger.info(event, fields);
  }

  warn(event: string, fields?: LogFields, ending?: LogFields): void {
    this.logger.warn(event, { ...fields, [ENDING]: ending });
  }

  error(event: string, fields?: LogFields): void {
    this.logger.error(event, fields);
  }

  bug(error: unknown, fields?: LogFields): void {
    this.error("bug", { ...fields, stack: stackOf(error) });
  }

  with(fields: LogFields): Log {
    return new LoggerLog(this.logger.with(fields), this.debugging);
  }

  debugged(on: boolean): Log {
    return new LoggerLog(this.logger, on);
  }
}

/** Chars that are kept of either end of a stack: first comes the error's message. */
const KEPT = 4096;

/** A message may quote what a client sent, which must not fill the disk. */
function stackOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  return stack.length <= 2 * KEPT ? stack : `${stack.slice(0, KEPT)}…${stack.slice(-KEPT)}`;
}

/** A log that keeps its lines in `lines`, each as `level: event key=value`. */
export function memoryLog(lines: string[], debugging = true): Log {
  const logWith = (base: LogFields, debugging: boolean): Log => {
    const add = (level: LogLevel) => (event: string, fields?: LogFields, ending?: LogFields) => {
      const record = { event, level, fields: { ...base, ...fields }, ending };
      lines.push(`${level}: ${formatRecord("text", record, { level: false })}`);
    };
    return {
      debug: debugging ? add("debug") : () => {},
      info: add("info"),
      warn: add("warning"),
      error: add("error"),
      bug: (error, fields) => add("error")("bug", { ...fields, stack: stackOf(error) }),
      with: (fields) => logWith({ ...base, ...fields }, debugging),
      debugged: (on) => logWith(base, on),
      debugging,
    };
  };
  return logWith({}, debugging);
}
