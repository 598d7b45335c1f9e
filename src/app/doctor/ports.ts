/** Who listens where the server should. */

import { connect } from "node:net";
import type { Finding } from "../../admin/operation.ts";
import type { Config } from "../../config/load.ts";
import { urlOf } from "../../net/listen_address.ts";

/** How long a connection may take, in milliseconds. */
const PATIENCE = 2000;

/** One finding for each address of the config. */
export async function* portFindings(
  { imap, lmtp }: Config,
  running: boolean,
): AsyncGenerator<Finding, void> {
  const addresses = [
    ...imap.flatMap(({ listen }) => listen),
    ...lmtp.flatMap(({ listen }) => listen.map(({ address }) => address)),
  ];
  for (const address of addresses) {
    const text = urlOf(address);
    const subject = "port";
    if (address.kind === "fd" || address.kind === "inet" && address.port === 0) {
      yield { level: "ok", subject, text: `${text} is given at the start` };
      continue;
    }
    const target = address.kind === "unix"
      ? { path: address.path }
      : { host: unspecified(address.host) ? "localhost" : address.host, port: address.port };
    const open = await accepts(target);
    if (running) {
      yield open
        ? { level: "ok", subject, text: `${text} accepts connections` }
        : { level: "failed", subject, text: `${text} accepts none`, advice: "restart the server" };
    } else if (open) {
      const who = address.kind === "inet" ? listenerOf(address.port) : undefined;
      yield {
        level: "failed",
        subject,
        text: `${text} is taken${who === undefined ? "" : ` by ${who}`}`,
        advice: "stop what listens there, or let the server listen elsewhere",
      };
    } else yield { level: "ok", subject, text: `${text} is free` };
  }
}

function unspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "*" || host === "";
}

function accepts(target: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: PATIENCE });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** As `dovecot (process 812)`, where Linux tells; root sees all processes. */
function listenerOf(port: number): string | undefined {
  const inodes = new Set(["tcp", "tcp6"].flatMap((file) => listeningInodes(file, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of names("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const fd of names(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      return `${text(`/proc/${pid}/comm`).trim()} (process ${pid})`;
    }
  }
  return undefined;
}

function listeningInodes(file: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return text(`/proc/net/${file}`).split("\n").slice(1).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === "0A" && local?.endsWith(`:${hex}`) ? [inode] : [];
  });
}

function names(path: string): string[] {
  try {
    return Array.from(Deno.readDirSync(path), ({ name }) => name);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

function text(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
