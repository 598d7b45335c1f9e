/** Log lines to the local syslog daemon. @see RFC 3164 §4.1 */

import { openDatagrams } from "./datagrams.ts";
import type { LogLevel } from "./log_format.ts";
import type { LogSink } from "./log.ts";

const MAIL = 2;
const SEVERITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
/** Lines that may wait for a daemon that is slow to read. */
const QUEUE = 1000;

/**
 * Opens the datagram socket of the syslog daemon.
 *
 * @throws {Error} when there is none
 */
export function openSyslog(path = "/dev/log"): LogSink {
  if (!isSocket(path)) throw new Error(`Expected ${path} to be the socket of a syslog daemon`);
  const socket = openDatagrams(path);
  const encoder = new TextEncoder();
  let waiting = 0;
  let last = Promise.resolve();
  return {
    wants: { time: false, level: false },
    write(line, level, time) {
      if (waiting >= QUEUE) return;
      waiting++;
      const bytes = encoder.encode(formatSyslog(line, level, time, Deno.pid));
      // The daemon may be restarting; then the line is lost, which must not stop the server.
      last = last.then(() => socket.send(bytes))
        .then(() => {}, () => {}).finally(() => waiting--);
    },
    async close() {
      await last;
      socket.close();
    },
  };
}

function isSocket(path: string): boolean {
  try {
    return Deno.statSync(path).isSocket === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** `<PRI>Mmm dd hh:mm:ss imapd[PID]: line`, in local time. */
export function formatSyslog(line: string, level: LogLevel, time: Date, pid: number): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
  const day = `${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  return `<${MAIL * 8 + SEVERITIES[level]}>${day} ${clock} imapd[${pid}]: ${line}`;
}
