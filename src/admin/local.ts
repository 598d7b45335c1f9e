/** Operations run by this process. */

import { type AdminContext, adminErrorOf, type Operation } from "./operation.ts";
import {
  type Admin,
  type OperationName,
  OPERATIONS,
  type ParamsOf,
  type ResultOf,
} from "./operations.ts";

/** Runs operations in this process, over stores that it opened itself. */
export class LocalAdmin implements Admin {
  constructor(private readonly context: AdminContext, private readonly end: () => Promise<void>) {}

  call<N extends OperationName>(
    name: N,
    params: ParamsOf<N>,
    input: AsyncIterable<unknown> = nothing(),
    gone: AbortSignal = new AbortController().signal,
  ): AsyncIterable<ResultOf<N>> {
    // The table pairs each name with what its operation takes and yields.
    const operation = OPERATIONS[name] as unknown as Operation<ParamsOf<N>, ResultOf<N>>;
    return toldFailures(operation.run(this.context, params, input, gone));
  }

  async close(): Promise<void> {
    await this.end();
  }
}

async function* toldFailures<T>(results: AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* results;
  } catch (error) {
    throw adminErrorOf(error) ?? error;
  }
}

async function* nothing(): AsyncGenerator<never, void> {}
