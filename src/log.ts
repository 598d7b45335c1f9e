/** Structured logging. Every line has an event's text and fields; secrets never reach it. */

/** Values that a log line can carry. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields` too. */
  with(fields: LogFields): Log;
  /** False spares the caller from making fields that nobody reads. */
  readonly debugging: boolean;
}
