/**
 * Sockets made by the C library, for what `node:net` of Deno cannot do: listen on `[::]` without
 * taking IPv4 too, set the permissions of a unix socket before anybody can connect, and go on after
 * a failed accept(2) (Deno 2.9.6 never asks for connections again when the process had no file
 * descriptor left).
 *
 * Constants are Linux's.
 */

import { openSystemLibrary } from "../system_library.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const F_DUPFD_CLOEXEC = 1030;
const POLLIN = 1;

/** Connections that wait to be accepted. */
const BACKLOG = 511;

/** Octets of `sun_path` but the NUL. */
export const LONGEST_UNIX_PATH = 107;

const ERRORS: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  9: "EBADF",
  13: "EACCES",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  97: "EAFNOSUPPORT",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
};

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** A call failed; `code` is a name such as "EADDRINUSE". */
export class SocketError extends Error {
  override name = "SocketError";
  constructor(readonly code: string, call: string) {
    super(`${call}: ${code}`);
  }
}

/** File descriptors of sockets. All that make one throw {@link SocketError}. */
export class Libc {
  readonly #calls: Library["symbols"];

  private constructor(library: Library) {
    this.#calls = library.symbols;
  }

  /** Undefined where there is none: another system, or no permission. */
  static open(): Libc | undefined {
    if (Deno.build.os !== "linux") return undefined;
    const library = openSystemLibrary("libc.so.6", SYMBOLS);
    return library && new Libc(library);
  }

  /**
   * A socket bound to a port, which does not listen yet.
   *
   * @param host an IP address
   * @param v6only whether `::` leaves IPv4 to others
   */
  bindInet(host: string, port: number, v6only: boolean): number {
    const v6 = host.includes(":");
    const address = new Uint8Array(v6 ? 28 : 16);
    const view = new DataView(address.buffer);
    view.setUint16(0, v6 ? AF_INET6 : AF_INET, true);
    view.setUint16(2, port);
    const octets = new Uint8Array(16);
    if (this.#calls.inet_pton(v6 ? AF_INET6 : AF_INET, cString(host), octets) !== 1) {
      throw new SocketError("EINVAL", "inet_pton");
    }
    address.set(octets.subarray(0, v6 ? 16 : 4), v6 ? 8 : 4);
    return this.#bind(v6 ? AF_INET6 : AF_INET, address, (fd) => {
      this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (v6) this.#set(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only ? 1 : 0);
    });
  }

  /** A socket bound to a path, which must not exist. It does not listen yet. */
  bindUnix(path: string): number {
    const name = cString(path);
    const address = new Uint8Array(2 + name.length);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(name, 2);
    return this.#bind(AF_UNIX, address, () => {});
  }

  #bind(family: number, address: Uint8Array<ArrayBuffer>, prepare: (fd: number) => void): number {
    const fd = this.#checked(
      "socket",
      this.#calls.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0),
    );
    try {
      prepare(fd);
      this.#checked("bind", this.#calls.bind(fd, address, address.length));
      return fd;
    } catch (error) {
      this.close(fd);
      throw error;
    }
  }

  listen(fd: number): void {
    this.#checked("listen", this.#calls.listen(fd, BACKLOG));
  }

  /** Another descriptor of the same socket. */
  duplicate(fd: number): number {
    return this.#checked("fcntl", this.#calls.fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }

  /** Whether a descriptor is a stream socket that listens. */
  isListening(fd: number): boolean {
    return this.#get(fd, SO_TYPE) === SOCK_STREAM && this.#get(fd, SO_ACCEPTCONN) === 1;
  }

  /** Whether a connection waits to be accepted. */
  isWaitedFor(fd: number): boolean {
    const wanted = new Uint8Array(8);
    const view = new DataView(wanted.buffer);
    view.setInt32(0, fd, true);
    view.setInt16(4, POLLIN, true);
    return this.#calls.poll(wanted, 1n, 0) > 0 && (view.getInt16(6, true) & POLLIN) !== 0;
  }

  close(fd: number): void {
    this.#calls.close(fd);
  }

  #set(fd: number, level: number, name: number, value: number): void {
    const option = new Uint8Array(4);
    new DataView(option.buffer).setInt32(0, value, true);
    this.#checked("setsockopt", this.#calls.setsockopt(fd, level, name, option, 4));
  }

  #get(fd: number, name: number): number | undefined {
    const option = new Uint8Array(4);
    const size = new Uint8Array([4, 0, 0, 0]);
    if (this.#calls.getsockopt(fd, SOL_SOCKET, name, option, size) !== 0) return undefined;
    return new DataView(option.buffer).getInt32(0, true);
  }

  #checked(call: string, result: number): number {
    if (result >= 0) return result;
    const location = this.#calls.__errno_location();
    const errno = location === null ? 0 : new Deno.UnsafePointerView(location).getInt32(0);
    throw new SocketError(ERRORS[errno] ?? `errno ${errno}`, call);
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
