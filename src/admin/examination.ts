/** The operation that looks for what is wrong, and changes nothing. */

import { didYouMean } from "../config/suggest.ts";
import { AdminError, type Finding, type Operation } from "./operation.ts";

/** What is to be looked at besides the server itself: all accounts, unless some are named. */
export interface ExamineParams {
  readonly accounts: readonly string[];
  readonly storage?: string;
}

/** Looks at the server's surroundings and at accounts. */
export const examine: Operation<ExamineParams, Finding> = {
  async *run(context, params) {
    const store = context.storage(params.storage);
    const known = await store.accounts();
    for (const name of params.accounts) {
      if (await store.exists(name)) continue;
      throw new AdminError(`There is no account ${name}${didYouMean(name, known)}`);
    }
    yield* context.examineServer();
    const names = params.accounts.length === 0 ? known : params.accounts;
    for (const name of names) yield* context.examineAccount(name, params.storage);
  },
};
