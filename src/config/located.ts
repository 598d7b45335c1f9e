/** Values that are looked at again after the config was read. */

import type { Kind } from "./setting.ts";
import type { Position } from "./toml.ts";

/** A value, and where it stands in the config, so that a later fault can be told there. */
export interface Located<T> {
  readonly value: T;
  readonly key: string;
  readonly at: Position;
}

/** A value of another kind, with its place. */
export function located<T>(kind: Kind<T>): Kind<Located<T>> {
  return {
    ...kind,
    read(value, key, reading) {
      const read = kind.read(value, key, reading);
      return read === undefined ? undefined : { value: read, key, at: value.at };
    },
  };
}
