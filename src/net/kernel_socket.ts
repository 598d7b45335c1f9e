/** Sockets before `node:net` has them: names resolved, old files removed, permissions set. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { descriptorsOf, type Handover } from "./inherited_sockets.ts";
import { canonicalAddress } from "./ip_address.ts";
import type { Libc } from "./libc.ts";
import {
  cannotOpen,
  type InetAddress,
  type InheritedAddress,
  type ListenAddress,
  type UnixAddress,
} from "./listen_address.ts";
import { clearPath, identityOf, removeSocket, setPermissions } from "./unix_socket.ts";

/** One socket to listen on: an address whose host is an IP address, or one descriptor. */
export type SocketAddress =
  | InetAddress & {
    /** Leaves IPv4 to another socket. */
    readonly v6only: boolean;
  }
  | UnixAddress
  | InheritedAddress & { readonly fd: number };

/**
 * The sockets that an address of the config stands for: a name may have several IP addresses, and
 * a name of descriptors several of those.
 *
 * @throws {ListenError} when there are none
 */
export async function socketsOf(
  address: ListenAddress,
  handover: Handover,
): Promise<readonly SocketAddress[]> {
  switch (address.kind) {
    case "unix":
      return [address];
    case "fd":
      return descriptorsOf(address, handover).map((fd) => ({ ...address, fd }));
    case "inet": {
      const hosts = isIP(address.host) !== 0 ? [address.host] : await resolved(address);
      return hosts.map((host) => ({ ...address, host, v6only: false }));
    }
  }
}

async function resolved(address: InetAddress): Promise<string[]> {
  try {
    const found = await lookup(address.host, { all: true });
    return [...new Set(found.map((each) => each.address))];
  } catch (error) {
    return cannotOpen(address, `the name ${address.host} has no IP address`, error);
  }
}

/** `[::]` takes IPv4 too, unless another socket is there for IPv4 at the same port. */
export function leaveIpv4ToOthers(sockets: readonly SocketAddress[]): SocketAddress[] {
  const ports = new Set(
    sockets.flatMap((each) => each.kind === "inet" && !each.host.includes(":") ? [each.port] : []),
  );
  return sockets.map((each) =>
    each.kind === "inet" && canonicalAddress(each.host) === "::" && each.port !== 0 &&
      ports.has(each.port)
      ? { ...each, v6only: true }
      : each
  );
}

/** What says whether two addresses are the same socket. */
export function keyOf(address: SocketAddress): string {
  switch (address.kind) {
    case "inet":
      return `${canonicalAddress(address.host) ?? address.host} ${address.port} ${address.v6only}`;
    case "unix":
      return [address.path, address.mode, address.owner, address.group].join(" ");
    case "fd":
      return `fd ${address.fd}`;
  }
}

/** What two sockets cannot both have at once. */
export function placeOf(address: SocketAddress): string {
  switch (address.kind) {
    case "inet":
      return `port ${address.port}`;
    case "unix":
      return `path ${address.path}`;
    case "fd":
      return `fd ${address.fd}`;
  }
}

/** A socket that listens. */
export interface KernelSocket {
  /** Stays open until {@link close}; what listens is given duplicates. */
  readonly fd: number;
  close(): Promise<void>;
}

/** @throws {ListenError} when it cannot be had */
export async function openSocket(libc: Libc, address: SocketAddress): Promise<KernelSocket> {
  switch (address.kind) {
    case "inet":
      return openInet(libc, address);
    case "unix":
      return await openUnix(libc, address);
    case "fd":
      return openInherited(libc, address);
  }
}

function openInet(libc: Libc, address: InetAddress & { readonly v6only: boolean }): KernelSocket {
  return attempt(address, () => {
    const fd = libc.bindInet(address.host, address.port, address.v6only);
    return listening(libc, fd, () => Promise.resolve());
  });
}

/** Nobody can connect before the socket listens: by then it has its permissions. */
async function openUnix(libc: Libc, address: UnixAddress): Promise<KernelSocket> {
  await clearPath(address);
  const fd = attempt(address, () => libc.bindUnix(address.path));
  const identity = await identityOf(address.path);
  const remove = () => removeSocket(address.path, identity);
  try {
    await setPermissions(address);
  } catch (error) {
    libc.close(fd);
    await remove();
    throw error;
  }
  return attempt(address, () => listening(libc, fd, remove));
}

function openInherited(libc: Libc, address: InheritedAddress & { fd: number }): KernelSocket {
  if (!libc.isListening(address.fd)) {
    return cannotOpen(address, `descriptor ${address.fd} is no stream socket that listens`);
  }
  // The descriptor itself stays open, so that a reload finds it again.
  return attempt(address, () => {
    const fd = libc.duplicate(address.fd);
    return { fd, close: () => Promise.resolve(libc.close(fd)) };
  });
}

function listening(libc: Libc, fd: number, closed: () => Promise<void>): KernelSocket {
  try {
    libc.listen(fd);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  return {
    fd,
    async close() {
      libc.close(fd);
      await closed();
    },
  };
}

function attempt<T>(address: ListenAddress, call: () => T): T {
  try {
    return call();
  } catch (error) {
    return cannotOpen(address, reasonOf(error, address), error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "only root, or a program with CAP_NET_BIND_SERVICE, may listen on this port",
};

const UNIX_REASONS: Readonly<Record<string, string>> = {
  EACCES: "its folder must not be written to",
};

/** Why an address cannot be opened, in words for administrators. */
export function reasonOf(error: unknown, { kind }: ListenAddress): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return { ...REASONS, ...kind === "unix" ? UNIX_REASONS : {} }[code] ??
    (error instanceof Error ? error.message : String(error));
}
