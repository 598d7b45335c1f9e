/** What the fuzzer drives, and what it finds. */

/** A reader of foreign octets, and what must hold whatever it is given. */
export interface FuzzTarget {
  /** Names its corpus and its finds. */
  readonly name: string;
  /** Inputs that are right, as byte strings: what mutations begin with. */
  readonly seeds: readonly string[];
  /** Files of `src/` whose words are its dictionary: `wire/framer.ts`. */
  readonly sources: readonly string[];
  /** More pieces of its grammar, which random octets seldom make. */
  readonly tokens?: readonly string[];
  /** Octets of the longest input; 4096 unless given. */
  readonly longest?: number;
  /** Milliseconds that no input may take, however long; {@link SLOW} unless given. */
  readonly slow?: number;
  /** New inputs in the gate; 200 unless given. */
  readonly gate?: number;
  /** Makes what reads the inputs; a target that reads files or speaks to a server has to end. */
  begin(): Promise<FuzzReader> | FuzzReader;
}

/** Reads one input after the other. */
export interface FuzzReader {
  /** Fails if something does not hold that must. */
  run(input: Uint8Array): void | Promise<void>;
  end?(): Promise<void>;
}

/** Floods are 64 KB: what takes them longer than this is not linear. */
export const SLOW = 1000;

/** An input that breaks what must hold. */
export interface Find {
  readonly input: Uint8Array;
  /** Where it broke: finds with the same one are the same. */
  readonly signature: string;
  readonly text: string;
}

/** A target without anything to set up. */
export function pureTarget(
  target: Omit<FuzzTarget, "begin"> & { run(input: Uint8Array): void | Promise<void> },
): FuzzTarget {
  const { run, ...rest } = target;
  return { ...rest, begin: () => ({ run }) };
}
