/** Connections without a login: which of them makes room where there are too many. */

/** One of them. */
export interface Stranger {
  /** Where it comes from, as it is counted. */
  readonly network: string;
  /** Ends it, and has it deleted here. */
  end(): void;
}

/** Where nobody is logged in. */
export class Strangers {
  /** The oldest first. */
  readonly #byNetwork = new Map<string, Set<Stranger>>();

  add(stranger: Stranger): void {
    const { network } = stranger;
    const others = this.#byNetwork.get(network);
    if (others === undefined) this.#byNetwork.set(network, new Set([stranger]));
    else others.add(stranger);
  }

  delete(stranger: Stranger): void {
    const { network } = stranger;
    const all = this.#byNetwork.get(network);
    all?.delete(stranger);
    if (all?.size === 0) this.#byNetwork.delete(network);
  }

  /** Ends the oldest from where most are. @returns false where there is none */
  endOne(): boolean {
    let most = new Set<Stranger>();
    for (const each of this.#byNetwork.values()) if (each.size > most.size) most = each;
    const [oldest] = most;
    oldest?.end();
    return oldest !== undefined;
  }
}
