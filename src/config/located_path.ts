/** Paths of files that are looked at after the config was read. */

import { path } from "./kinds.ts";
import type { Kind } from "./setting.ts";
import type { Position } from "./toml.ts";

/** A path, and where it stands in the config, so that a fault of the file can be told there. */
export interface LocatedPath {
  /** Absolute. */
  readonly path: string;
  readonly key: string;
  readonly at: Position;
}

/** A path, made absolute as that of {@link path}. */
export function locatedPath(): Kind<LocatedPath> {
  const plain = path();
  return {
    ...plain,
    read(value, key, reading) {
      const read = plain.read(value, key, reading);
      return read === undefined ? undefined : { path: read, key, at: value.at };
    },
  };
}
