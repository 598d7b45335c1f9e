/** All addresses that the server listens on. */

import type { Log } from "../log.ts";
import type { Handover } from "./inherited_sockets.ts";
import {
  keyOf,
  leaveIpv4ToOthers,
  placeOf,
  type SocketAddress,
  socketsOf,
} from "./kernel_socket.ts";
import type { Libc } from "./libc.ts";
import {
  isImplicitTls,
  type ListenAddress,
  ListenError,
  settingOf,
  urlOf,
} from "./listen_address.ts";
import { type Acceptor, Listener } from "./listener.ts";

/** An address of the config, and who serves what comes there. */
export interface Wanted {
  readonly address: ListenAddress;
  readonly acceptor: Acceptor;
}

interface WantedSocket {
  readonly key: string;
  readonly address: SocketAddress;
  readonly acceptor: Acceptor;
}

interface Open extends WantedSocket {
  readonly listener: Listener;
}

/** Opens and closes listeners so that they are those which the config asks for. */
export class Listeners {
  readonly #log: Log;
  readonly #handover: Handover;
  readonly #libc: Libc | undefined;
  #open = new Map<string, Open>();

  constructor(options: { log: Log; handover: Handover; libc: Libc | undefined }) {
    this.#log = options.log;
    this.#handover = options.handover;
    this.#libc = options.libc;
  }

  /**
   * Goes over to other addresses: new ones are opened, then those that are not wanted any more are
   * closed; the ones that stay are never without a listener and serve by their new acceptor. What
   * is closed comes first only where the new one takes its place, as `[::]:143` does after
   * `0.0.0.0:143`.
   *
   * @returns all of them with their real ports
   * @throws {ListenError} when one cannot be had; then everything is as it was
   */
  async apply(wanted: readonly Wanted[]): Promise<readonly ListenAddress[]> {
    const sockets = await this.#socketsOf(wanted);
    const kept = new Set(sockets.map(({ key }) => key));
    const missing = sockets.filter(({ key }) => !this.#open.has(key));
    const places = new Set(missing.map(({ address }) => placeOf(address)));
    const removed = [...this.#open.values()].filter(({ key }) => !kept.has(key));
    const displaced = removed.filter(({ address }) => places.has(placeOf(address)));
    for (const each of displaced) await this.#close(each);
    const opened: Open[] = [];
    try {
      for (const each of missing) opened.push(await this.#start(each));
    } catch (error) {
      for (const each of opened) await this.#close(each);
      for (const each of displaced) await this.#start(each);
      throw error;
    }
    for (const each of removed) {
      if (!displaced.includes(each)) await this.#close(each);
      this.#log.info(`no longer listening on ${urlOf(each.listener.listening)}`);
    }
    for (const { key, address, acceptor } of sockets) {
      this.#open.get(key)?.listener.use(address, acceptor);
    }
    return sockets.flatMap(({ key }) => this.#open.get(key)?.listener.listening ?? []);
  }

  /** Accepts no more. */
  async close(): Promise<void> {
    for (const each of this.#open.values()) await this.#close(each);
  }

  async #start(wanted: WantedSocket): Promise<Open> {
    const { key, address, acceptor } = wanted;
    const listener = await Listener.open(this.#libc, address, acceptor, this.#log);
    const open = { ...wanted, listener };
    this.#open.set(key, open);
    return open;
  }

  async #close({ key, listener }: Open): Promise<void> {
    this.#open.delete(key);
    await listener.close();
  }

  async #socketsOf(wanted: readonly Wanted[]): Promise<readonly WantedSocket[]> {
    const found: { address: SocketAddress; acceptor: Acceptor }[] = [];
    for (const { address, acceptor } of wanted) {
      const sockets = await socketsOf(address, this.#handover);
      found.push(...sockets.map((each) => ({ address: each, acceptor })));
    }
    const addresses = leaveIpv4ToOthers(found.map(({ address }) => address));
    const byKey = new Map<string, WantedSocket>();
    addresses.forEach((address, i) => {
      const { acceptor } = found[i];
      let key = keyOf(address);
      // Port 0 is another port each time.
      while (address.kind === "inet" && address.port === 0 && byKey.has(key)) key += "+";
      const other = byKey.get(key);
      if (other !== undefined && !isSame(other, address, acceptor)) {
        throw new ListenError(
          `${settingOf(address)}: ${urlOf(address)} and ${
            urlOf(other.address)
          } are the same address`,
        );
      }
      byKey.set(key, { key, address, acceptor });
    });
    return [...byKey.values()];
  }
}

/** Whether two names of an address ask for the same thing. */
function isSame(other: WantedSocket, address: SocketAddress, acceptor: Acceptor): boolean {
  return other.acceptor === acceptor && isImplicitTls(other.address) === isImplicitTls(address);
}
