/** Tells the service manager how the server is: the protocol of sd_notify(3). */

import { clearInterval, setInterval } from "node:timers";
import { openDatagrams } from "./datagrams.ts";
import type { Log } from "./log.ts";

/** What a service manager is told of. */
export interface ServiceManager {
  /** @param status a sentence for `systemctl status` */
  tell(state: "READY" | "RELOADING" | "STOPPING", status: string): void;
  /** Waits until all is sent, and sends nothing more. */
  close(): Promise<void>;
}

const NOBODY: ServiceManager = { tell() {}, close: () => Promise.resolve() };

/**
 * Opens the way to the service manager that started this process, if there is one; from then on
 * its watchdog is told that the event loop turns.
 *
 * @param variable gives environment variables
 */
export function openServiceManager(
  variable: (name: string) => string | undefined,
  pid: number,
  log: Log,
): ServiceManager {
  const path = variable("NOTIFY_SOCKET");
  if (path === undefined || path === "") return NOBODY;
  const datagrams = openDatagrams(path);
  const encoder = new TextEncoder();
  let last = Promise.resolve();
  const send = (text: string) => {
    last = last.then(() => datagrams.send(encoder.encode(text)))
      .catch((error) => log.warn("service manager not told", { text, error: String(error) }));
  };
  const period = watchdogPeriod(variable, pid);
  const timer = period === undefined ? undefined : setInterval(() => send("WATCHDOG=1"), period);
  timer?.unref();
  return {
    tell: (state, status) => send(`${state}=1\nSTATUS=${status}\n`),
    async close() {
      clearInterval(timer);
      await last;
      datagrams.close();
    },
  };
}

/** Half of what the watchdog waits for, in ms. */
function watchdogPeriod(
  variable: (name: string) => string | undefined,
  pid: number,
): number | undefined {
  const micros = Number(variable("WATCHDOG_USEC"));
  const whose = variable("WATCHDOG_PID");
  if (!Number.isSafeInteger(micros) || micros <= 0) return undefined;
  return whose === undefined || whose === String(pid) ? micros / 2000 : undefined;
}
