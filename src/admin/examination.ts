/** The operation that looks for what is wrong, and mends accounts if it is asked to. */

import { didYouMean } from "../config/suggest.ts";
import {
  type AdminContext,
  AdminError,
  adminErrorOf,
  type ExaminationOptions,
  type Finding,
  type Operation,
} from "./operation.ts";

/** What is to be looked at besides the server itself: all accounts, unless some are named. */
export interface ExamineParams extends ExaminationOptions {
  readonly accounts: readonly string[];
  readonly storage?: string;
}

/** One account that cannot be looked at does not keep the doctor from the others. */
async function* examined(
  context: AdminContext,
  name: string,
  params: ExamineParams,
  gone: AbortSignal,
): AsyncGenerator<Finding, void> {
  try {
    yield* context.examineAccount(name, params, params.storage, gone);
  } catch (error) {
    const known = adminErrorOf(error);
    if (known === undefined) throw error;
    yield { level: "failed", subject: `account ${name}`, text: known.message };
  }
}

/** Looks at the server's surroundings and at accounts. */
export const examine: Operation<ExamineParams, Finding> = {
  async *run(context, params, _input, gone) {
    const store = context.storage(params.storage);
    const known = await store.accounts();
    for (const name of params.accounts) {
      if (await store.exists(name)) continue;
      throw new AdminError(`There is no account ${name}${didYouMean(name, known)}`);
    }
    yield* context.examineServer();
    const names = params.accounts.length === 0 ? known : params.accounts;
    for (const name of names) yield* examined(context, name, params, gone);
  },
};
