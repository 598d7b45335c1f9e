/** A connection of this process with itself, by which the event loop is made to look at sockets. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, Socket } from "node:net";
import { setImmediate } from "node:timers";

const OCTET = new Uint8Array(1);
/** Milliseconds that those who wait may work, all together, before sockets are looked at again. */
const WORK = 5;
/** Turns without a connection until another one is tried. */
const RETRY = 1000;

/**
 * While there is other work Deno asks the system only once in some 60 turns what has come over
 * sockets, also after work on another thread that was quick. So what waits for its own octet comes
 * when all other sockets were looked at.
 */
export class Loopback {
  #near: Promise<Socket | undefined> | undefined;
  #waiting = new Waiting();
  #running = false;
  #came = () => {};
  #without = 0;
  #looked = -Infinity;
  /** Something began in this turn of the event loop. */
  #begun = false;

  /** True when all that runs has worked for long enough since the last turn. */
  get due(): boolean {
    return performance.now() - this.#looked >= WORK;
  }

  /** Asked by what begins: false when something else began at the same time, and a turn is due. */
  mayBegin(): boolean {
    if (this.#begun) return !this.due;
    this.#begun = true;
    setImmediate(() => this.#begun = false);
    return true;
  }

  /**
   * Settles when the event loop has looked at all sockets. Of many who wait each begins when the one
   * before has worked; who would begin late waits for another look: so however many there are,
   * others who have little to do wait no longer. Owners take turns, so one with much to do at once
   * gets no more of them than another.
   *
   * @param owner whose work it is; absent: that of nobody who has more
   */
  turn(owner: unknown = {}): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#waiting.add(owner, resolve);
      if (!this.#running) this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (!this.#waiting.isEmpty) {
      await this.#look();
      this.#looked = performance.now();
      const waited = this.#waiting;
      this.#waiting = new Waiting();
      waited.wakeNext();
      while (!waited.isEmpty) {
        await whatWasWoken();
        if (this.due) break;
        waited.wakeNext();
      }
      waited.join(this.#waiting);
      this.#waiting = waited;
    }
    this.#running = false;
  }

  async #look(): Promise<void> {
    const near = await (this.#near ??= this.#open());
    if (near === undefined) return await this.#lookWithout();
    await new Promise<void>((resolve) => {
      this.#came = resolve;
      near.ref();
      near.write(OCTET);
    });
    near.unref();
  }

  async #lookWithout(): Promise<void> {
    if (++this.#without % RETRY === 0) this.#near = undefined;
    await otherThread();
  }

  /** Undefined on a machine without 127.0.0.1, or while there are no descriptors left, say. */
  async #open(): Promise<Socket | undefined> {
    try {
      const { near, far } = await connectedPair();
      far.unref().on("data", () => this.#came());
      near.unref().setNoDelay(true);
      for (const socket of [near, far]) {
        socket.on("error", () => {});
        socket.on("close", () => this.#lost(near, far));
      }
      return near;
    } catch {
      return undefined;
    }
  }

  #lost(near: Socket, far: Socket): void {
    near.destroy();
    far.destroy();
    this.#near = undefined;
    this.#came();
  }
}

/** Who waits. */
class Waiting {
  /** Whose turn is next comes first. */
  readonly #byOwner = new Map<unknown, (() => void)[]>();

  get isEmpty(): boolean {
    return this.#byOwner.size === 0;
  }

  add(owner: unknown, wake: () => void): void {
    const others = this.#byOwner.get(owner);
    if (others === undefined) this.#byOwner.set(owner, [wake]);
    else others.push(wake);
  }

  /** Puts those of `later` behind these. */
  join(later: Waiting): void {
    for (const [owner, all] of later.#byOwner) {
      for (const wake of all) this.add(owner, wake);
    }
  }

  /** Wakes one; others of its owner come after those of all other owners. */
  wakeNext(): void {
    const [next] = this.#byOwner;
    if (next === undefined) return;
    const [owner, all] = next;
    const wake = all.shift();
    this.#byOwner.delete(owner);
    if (all.length > 0) this.#byOwner.set(owner, all);
    wake?.();
  }
}

/** Two ends of one connection. @throws {Error} the system's */
async function connectedPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const near = connect(port, "127.0.0.1");
    const [[far]] = await Promise.all([once(server, "connection"), once(near, "connect")]);
    // Anybody on this machine may have been quicker.
    if (far instanceof Socket && far.remotePort === near.localPort) return { near, far };
    near.destroy();
    far.destroy();
    throw new Error("Loopback connection must be this process's own: another one came first");
  } finally {
    server.close();
  }
}

/** Settles when what was woken waits for something. */
function whatWasWoken(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function otherThread(): Promise<void> {
  await crypto.subtle.digest("SHA-256", new Uint8Array(0));
}
