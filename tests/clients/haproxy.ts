/** Runs a real HAProxy in front of a server. */

import { freePort } from "../net/free_port.ts";
import { type Program, startProgram } from "../net/program.ts";

/** One `frontend` with its `backend`. */
export interface Route {
  /** Words after `bind ADDRESS:PORT`, such as `ssl crt FILE`. */
  readonly bind?: string;
  /** Words after `server imapd ADDRESS`. */
  readonly server: string;
  /** `127.0.0.1:PORT` of the server, or `unix@PATH`, or the number of another route. */
  readonly to: string | number;
}

export interface Haproxy extends AsyncDisposable {
  /** Ports on 127.0.0.1 in the order of the routes. */
  readonly ports: readonly number[];
  readonly program: Program;
}

/**
 * Starts HAProxy in TCP mode. It goes to the server from 127.0.0.9, so that its address cannot be
 * taken for a client's.
 */
export async function startHaproxy(dir: string, routes: readonly Route[]): Promise<Haproxy> {
  const ports: number[] = [];
  for (const _ of routes) ports.push(await freePort());
  const config = ["defaults", "  mode tcp", "  timeout connect 5s", "  timeout client 60s"];
  config.push(
    "  timeout server 60s",
    "  log stderr format raw daemon",
    "global",
    "  log stderr format raw daemon",
  );
  routes.forEach(({ bind = "", server, to }, i) => {
    const target = typeof to === "number" ? `127.0.0.1:${ports[to]}` : to;
    const source = target.startsWith("unix@") ? "" : "source 127.0.0.9";
    config.push(
      `frontend in${i}`,
      `  bind 127.0.0.1:${ports[i]} ${bind}`,
      `  default_backend out${i}`,
      `backend out${i}`,
      `  server imapd ${target} ${source} ${server}`,
    );
  });
  await Deno.writeTextFile(`${dir}/haproxy.cfg`, `${config.join("\n")}\n`);
  const program = startProgram(["haproxy", "-db", "-f", `${dir}/haproxy.cfg`]);
  for (const port of ports) await untilOpen(port, program);
  return { ports, program, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

async function untilOpen(port: number, program: Program): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      if (Date.now() > deadline) throw new Error(`Expected HAProxy to listen: ${program.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
