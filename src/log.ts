/** Structured logging. Every line has an event's text and fields; secrets never reach it. */

import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { openSyslog } from "./syslog.ts";

/** Values that a log line can carry. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
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

/** How grave a line is. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** One place that lines go to. */
export interface LogSink {
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
export function createLog(targets: readonly string[], debug: boolean): OpenLog {
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
    sinks: { all: (record) => sinks.forEach((sink) => writeRecord(sink, record)) },
    loggers: [
      // Each log knows for itself whether it writes debug lines.
      { category: "imapd", sinks: ["all"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["all"], lowestLevel: "warning" },
    ],
  });
  const log = logOf(getLogger("imapd"), debug);
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

function writeRecord(sink: LogSink, record: LogRecord): void {
  const event = typeof record.rawMessage === "string" ? record.rawMessage : "";
  const level = record.level === "fatal" || record.level === "error"
    ? "error"
    : record.level === "trace"
    ? "debug"
    : record.level;
  sink.write(formatLine(event, record.properties), level, new Date(record.timestamp));
}

/**
 * One line without its end: `event key=value key="quoted value"`. Nothing in the values can end
 * the line or look like another field.
 */
export function formatLine(event: string, fields: Readonly<Record<string, unknown>>): string {
  let line = escape(event);
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = String(value);
    line += ` ${key}=${/^[^\s"=\\\p{Cc}\p{Cf}\u2028\u2029]+$/u.test(text) ? text : quote(text)}`;
  }
  return line;
}

function quote(text: string): string {
  return `"${escape(text.replace(/["\\]/g, "\\$&"))}"`;
}

/** Control and format characters could end a line, or colour and reorder a terminal's text. */
function escape(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) =>
      ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[char] ??
        `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function stderrSink(timestamps: boolean): LogSink {
  const encoder = new TextEncoder();
  return {
    write(line, level, time) {
      const text = `${timestamps ? `${time.toISOString()} ` : ""}${prefixOf(level)}${line}\n`;
      writeAll(Deno.stderr, encoder.encode(text));
    },
    close: () => Promise.resolve(),
  };
}

function openFile(path: string): LogSink {
  const encoder = new TextEncoder();
  const open = () => Deno.openSync(path, { append: true, create: true, mode: 0o640 });
  let file = open();
  return {
    write(line, level, time) {
      writeAll(file, encoder.encode(`${time.toISOString()} ${prefixOf(level)}${line}\n`));
    },
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

function prefixOf(level: LogLevel): string {
  return level === "info" ? "" : `${level}: `;
}

/** A log must never be the reason that the server stops: a full disk or a closed pipe loses lines. */
function writeAll(file: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  } catch {
    return;
  }
}

function logOf(logger: Logger, debugging: boolean): Log {
  return {
    debug: debugging ? (event, fields) => logger.debug(event, fields) : () => {},
    info: (event, fields) => logger.info(event, fields),
    warn: (event, fields) => logger.warn(event, fields),
    error: (event, fields) => logger.error(event, fields),
    with: (fields) => logOf(logger.with(fields), debugging),
    debugged: (on) => logOf(logger, on),
    debugging,
  };
}

/** A log that keeps its lines in `lines`, each as `level: event key=value`. */
export function memoryLog(lines: string[], debugging = true): Log {
  const logWith = (base: LogFields, debugging: boolean): Log => {
    const add = (level: LogLevel) => (event: string, fields: LogFields = {}) => {
      lines.push(`${level}: ${formatLine(event, { ...base, ...fields })}`);
    };
    return {
      debug: debugging ? add("debug") : () => {},
      info: add("info"),
      warn: add("warning"),
      error: add("error"),
      with: (fields) => logWith({ ...base, ...fields }, debugging),
      debugged: (on) => logWith(base, on),
      debugging,
    };
  };
  return logWith({}, debugging);
}
