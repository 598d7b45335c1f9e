/** How long what is due has to wait for what runs: the server has one thread. */

import { clearInterval, setInterval } from "node:timers";
import type { Registry } from "../metrics.ts";

const EVERY = 250;

/** Measures until the returned function is called. */
export function watchEventLoop(registry: Registry): () => void {
  const delays = registry.histogram({
    name: "imapd_event_loop_delay_seconds",
    help: "Delay of a timer, looked at four times a second",
  }, [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]).of();
  let due = performance.now() + EVERY;
  const timer = setInterval(() => {
    const now = performance.now();
    delays.observe(Math.max(0, now - due) / 1000);
    due = now + EVERY;
  }, EVERY).unref();
  return () => clearInterval(timer);
}
