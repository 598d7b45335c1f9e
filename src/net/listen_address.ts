/** Where an endpoint listens: as the config says it, and as the log shows it. */

/** Where an address stands in the config. */
interface Configured {
  /** The setting that errors name; "imap.listen" if absent. */
  readonly key?: string;
}

/** `tcp://HOST:PORT` or, with `tls`, `tls://HOST:PORT`; a host may be a name. */
export interface InetAddress extends Configured {
  readonly kind: "inet";
  /** Implicit TLS. */
  readonly tls: boolean;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `unix:///path` */
export interface UnixAddress extends Configured {
  readonly kind: "unix";
  /** Absolute. */
  readonly path: string;
  /** Permissions of the socket file, as `0o660`. */
  readonly mode?: number;
  /** Names or numbers. */
  readonly owner?: string;
  readonly group?: string;
}

/** `fd://NAME`, `fd://N` or, with `tls`, `fd+tls://…`: a socket that was handed to the process. */
export interface InheritedAddress extends Configured {
  readonly kind: "fd";
  /** Implicit TLS. */
  readonly tls: boolean;
  /** A name among LISTEN_FDNAMES, or the number of a descriptor. */
  readonly name: string | number;
}

export type ListenAddress = InetAddress | UnixAddress | InheritedAddress;

/** An address cannot be had. */
export class ListenError extends Error {
  override name = "ListenError";
}

/** @throws {ListenError} always, with the address and why it cannot be had */
export function cannotOpen(address: ListenAddress, why: string, cause?: unknown): never {
  throw new ListenError(`${settingOf(address)}: cannot open ${urlOf(address)}: ${why}`, { cause });
}

/** The setting that an address stands in. */
export function settingOf({ key = "imap.listen" }: ListenAddress): string {
  return key;
}

/** Whether TLS is spoken from the first byte. */
export function isImplicitTls(address: ListenAddress): boolean {
  return address.kind !== "unix" && address.tls;
}

/** The address as the config spells it. */
export function urlOf(address: ListenAddress): string {
  switch (address.kind) {
    case "inet": {
      const { tls, host, port } = address;
      return `${tls ? "tls" : "tcp"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    }
    case "unix":
      return `unix://${address.path}`;
    case "fd":
      return `${address.tls ? "fd+tls" : "fd"}://${address.name}`;
  }
}
