/** How a line of the log is written. Whatever the values are, they can neither end the line nor look like other fields. */

/** Values that a log line can carry. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** How grave a line is. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** `text` is for people, the others are for programs. */
export type LogFormat = "text" | "logfmt" | "json";

/** What happened. */
export interface LogEvent {
  readonly event: string;
  readonly level: LogLevel;
  readonly fields: LogFields;
  /** Fields that end the line, in this order; in `text` as JSON after a tab. */
  readonly ending?: LogFields;
}

/** What the line has to say because the target does not say it by itself. */
export interface LineHead {
  readonly time?: Date;
  readonly level: boolean;
}

/** One line without its end. */
export function formatRecord(format: LogFormat, record: LogEvent, head: LineHead): string {
  switch (format) {
    case "text":
      return textLine(record, head);
    case "logfmt":
      return logfmtPairs(membersOf(record, head)).join(" ");
    case "json":
      return jsonObject(membersOf(record, head));
  }
}

/** `event key=value key="quoted value"` */
export function formatLine(event: string, fields: LogFields): string {
  return [escape(event), ...logfmtPairs(fields)].join(" ");
}

function textLine({ event, level, fields, ending }: LogEvent, head: LineHead): string {
  const time = head.time === undefined ? "" : `${head.time.toISOString()} `;
  const prefix = head.level && level !== "info" ? `${level}: ` : "";
  const line = ending === undefined
    ? formatLine(event, fields)
    : [...logfmtPairs(fields), escape(event)].join(" ") + `\t${jsonObject(ending)}`;
  return time + prefix + line;
}

function membersOf({ event, level, fields, ending }: LogEvent, { time }: LineHead): LogFields {
  const names = { time: time?.toISOString(), level, msg: event };
  const last = ending ?? {};
  const others = Object.entries(fields).filter(([key]) => !(key in last));
  return {
    ...names,
    // A field of such a name must not take the place of the real one.
    ...Object.fromEntries(others.map(([key, value]) => [key in names ? `${key}_` : key, value])),
    ...last,
  };
}

function logfmtPairs(fields: LogFields): string[] {
  return Object.entries(fields).filter(([, value]) => value !== undefined).map(([key, value]) => {
    const text = String(value);
    const plain = /^[^\s"=\\\p{Cc}\p{Cf}\u2028\u2029]+$/u.test(text);
    return `${keyOf(key)}=${plain ? text : quote(text)}`;
  });
}

/** Some keys come from clients, as the names of the fields of ID do. */
function keyOf(key: string): string {
  return key.replace(/[^\w.-]/g, "_") || "_";
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

/** Escapes what {@link escape} does, in the way of JSON. */
function jsonObject(fields: LogFields): string {
  return JSON.stringify(fields).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) =>
      Array.from(
        { length: char.length },
        (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}
