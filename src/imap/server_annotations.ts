/** Annotations of the server that all its users see, and the contract of who keeps them. */

import { type AnnotationChanges, type AnnotationNews, StoreError } from "../store/store.ts";

/** What a change comes to once all that it takes is ready. */
export interface PreparedAnnotations {
  /** Puts it in force; what could fail has been done before. */
  commit(by?: object): void;
  /** Forgets it. Does nothing after {@link commit}. */
  abort(): void;
}

/** The entries below /shared of the server as a whole. @see RFC 5464 §3.2.1.1 */
export interface ServerAnnotations {
  /** As `Account.annotations`. */
  annotations(): ReadonlyMap<string, number>;
  /** As `Account.annotation`. */
  annotation(entry: string): Uint8Array | undefined;
  /**
   * Makes a change ready; other changes wait until it is committed or aborted.
   *
   * @throws {StoreError} `too-big`, `too-many`, `over-quota`, `unavailable`
   */
  prepare(entries: AnnotationChanges["entries"]): Promise<PreparedAnnotations>;
  /** As `Account.watchAnnotations`. */
  watch(listener: (news: AnnotationNews) => void): () => void;
}

/** Where nobody keeps any. */
export const NO_SERVER_ANNOTATIONS: ServerAnnotations = {
  annotations: () => new Map(),
  annotation: () => undefined,
  prepare: () =>
    Promise.reject(new StoreError("unavailable", "This server keeps no annotations of its own")),
  watch: () => () => {},
};
