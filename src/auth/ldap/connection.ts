/** One connection to an LDAP server. @see RFC 4511, RFC 4513 */

import { Buffer } from "node:buffer";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Client, ResultCodeError } from "ldapts";
import { opened, timeLeft } from "../peer_socket.ts";
import { PeerUnavailable } from "../remote_check.ts";

/** As whom the server itself searches. */
export type LdapBind =
  | { readonly method: "off" }
  | { readonly method: "external" }
  /** A name without a password. */
  | { readonly method: "unauth"; readonly dn: string }
  | { readonly method: "plain"; readonly dn: string; readonly password: string };

/** PEM files; absent ones leave the system's certificates, and no certificate of ours. */
export interface LdapTls {
  readonly rootCa?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

export interface LdapConnectionOptions {
  /** `ldap://`, `ldaps://` or `ldapi://`, tried in this order. */
  readonly urls: readonly string[];
  /** Whether `ldap://` becomes TLS before anything else is said. */
  readonly starttls: boolean;
  readonly tls: LdapTls;
  /** Milliseconds for each URL, TLS included. */
  readonly connectTimeout: number;
  /** Milliseconds. */
  readonly requestTimeout: number;
  readonly bind: LdapBind;
}

/** StartTLS. @see RFC 4511 §4.14 */
const START_TLS = "1.3.6.1.4.1.1466.20037";

/**
 * Result codes of a bind that say no to the user rather than to the server: constraintViolation
 * (too many attempts, of some servers), noSuchObject, invalidDNSyntax, inappropriateAuthentication
 * (no password), invalidCredentials, unwillingToPerform (a disabled account, of some servers).
 *
 * @see RFC 4511 appendix A
 */
const NO_TO_THE_USER: ReadonlySet<number> = new Set([19, 32, 34, 48, 49, 53]);

/** A connection for one task at a time. It is never opened again: then it would not be secure. */
export class LdapConnection {
  readonly #socket: Socket;
  readonly #client: Client;
  readonly #bind: LdapBind;
  /** Whether what is searched now is searched as {@link LdapBind} says. */
  #ourselves: boolean;

  private constructor(socket: Socket, options: LdapConnectionOptions) {
    this.#socket = socket;
    this.#client = clientOver(socket, options.requestTimeout);
    this.#bind = options.bind;
    this.#ourselves = options.bind.method === "off";
    socket.on("error", () => {});
  }

  /** @throws {PeerUnavailable} with the reason of each URL */
  static async open(
    options: LdapConnectionOptions,
    closing: AbortSignal,
  ): Promise<LdapConnection> {
    const reasons: string[] = [];
    for (const url of options.urls) {
      try {
        return new LdapConnection(await openSocket(url, options, closing), options);
      } catch (error) {
        closing.throwIfAborted();
        reasons.push(`${url}: ${error instanceof Error ? error.message : error}`);
      }
    }
    throw new PeerUnavailable(reasons.join("; "));
  }

  /** False when it was closed by either side. */
  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && this.#client.isConnected;
  }

  /**
   * Whether the server takes `password` for the entry `dn`.
   *
   * @throws {Error} when it cannot tell
   */
  async isPasswordOf(dn: string, password: string): Promise<boolean> {
    // Without "=" or "@" the library could take the name for a SASL mechanism; without a name or
    // a password the bind would be anonymous, and succeed.
    if (!/[=@]/.test(dn) || password === "") return false;
    this.#ourselves = false;
    try {
      await this.#client.bind(dn, password);
      return true;
    } catch (error) {
      if (error instanceof ResultCodeError && NO_TO_THE_USER.has(error.code)) return false;
      throw error;
    }
  }

  /**
   * The DNs of the entries that `filter` finds below `base`, two at most.
   *
   * @throws {Error} when the server refuses to search, or to be searched by us
   */
  async find(base: string, filter: string): Promise<string[]> {
    await this.#beOurselves();
    const { searchEntries } = await this.#client.search(base, {
      scope: "sub",
      filter,
      // No attributes at all. @see RFC 4511 §4.5.1.8
      attributes: ["1.1"],
      sizeLimit: 2,
    });
    return searchEntries.map(({ dn }) => dn);
  }

  /** Takes leave, and waits for nobody. */
  close(): void {
    this.#client.unbind().catch(() => {});
    this.#socket.destroySoon();
  }

  async #beOurselves(): Promise<void> {
    if (this.#ourselves) return;
    try {
      await this.#bindOurselves();
    } catch (error) {
      if (!(error instanceof ResultCodeError)) throw error;
      throw new PeerUnavailable(`The server refuses our own bind: ${error.message}`);
    }
    this.#ourselves = true;
  }

  async #bindOurselves(): Promise<void> {
    switch (this.#bind.method) {
      case "off":
        return await this.#client.bind("", "");
      case "unauth":
        return await this.#client.bind(this.#bind.dn, "");
      case "plain":
        return await this.#client.bind(this.#bind.dn, this.#bind.password);
      case "external":
        return await this.#client.bindSASL("EXTERNAL");
    }
  }
}

/** The library over a socket that is open; it cannot open another one. */
function clientOver(socket: Socket, timeout: number): Client {
  let given = false;
  return new Client({
    url: "ldap://socket",
    timeout,
    createConnection: () => {
      if (given) throw new PeerUnavailable("The connection was lost");
      given = true;
      return socket;
    },
  });
}

async function openSocket(
  url: string,
  options: LdapConnectionOptions,
  closing: AbortSignal,
): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1");
  const patience = { deadline: Date.now() + options.connectTimeout, closing };
  if (protocol === "ldapi:") return await opened(connect({ path: host }), "connect", patience);
  const address = { host, port: Number(port) || (protocol === "ldaps:" ? 636 : 389) };
  const name = isIP(host) === 0 ? { servername: host } : {};
  const tls = await readTls(options.tls);
  if (protocol === "ldaps:") {
    return await opened(connectTls({ ...address, ...name, ...tls }), "secureConnect", patience);
  }
  const plain = await opened(connect(address), "connect", patience);
  if (!options.starttls) return plain;
  await announceTls(plain, timeLeft(patience));
  return await opened(
    connectTls({ socket: plain, host, ...name, ...tls }),
    "secureConnect",
    patience,
  );
}

/** Says StartTLS; what the server sends beyond its answer before TLS is thrown away. */
async function announceTls(socket: Socket, timeout: number): Promise<void> {
  try {
    await clientOver(socket, timeout).exop(START_TLS);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  // The library's, which must not see what TLS says.
  for (const event of ["data", "error", "close", "end", "timeout"]) {
    socket.removeAllListeners(event);
  }
  socket.on("error", () => {});
}

/**
 * The contents of the PEM files.
 *
 * @throws {Error} when one cannot be read
 */
export async function readTls({ rootCa, cert, key }: LdapTls): Promise<ConnectionOptions> {
  const read = async (path: string) => Buffer.from(await Deno.readFile(path));
  const options: ConnectionOptions = {};
  if (rootCa !== undefined) options.ca = await Promise.all(rootCa.map(read));
  if (cert !== undefined) options.cert = await read(cert);
  if (key !== undefined) options.key = await read(key);
  return options;
}
