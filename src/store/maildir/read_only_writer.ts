/** The changes of an account whose disk is read-only. */

import { readOnlyDisk } from "./disk_error.ts";
import { type CommitOptions, type Effect, Writer } from "./writer.ts";

/** Changes only what can be made again, in a copy of the index: what would have to last is refused. */
export class ReadOnlyWriter extends Writer {
  override run<T>(operation: () => Effect<T>, options: CommitOptions = {}): Promise<T> {
    return isToLast(options) ? Promise.reject(readOnlyDisk()) : super.run(operation, options);
  }

  override transaction<T>(
    statements: () => T | Promise<T>,
    options: CommitOptions = {},
  ): Promise<T> {
    return isToLast(options)
      ? Promise.reject(readOnlyDisk())
      : super.transaction(statements, options);
  }
}

function isToLast({ durable = true }: CommitOptions): boolean {
  return durable;
}
