/** Asks questions on a terminal, each of which has a default; or takes all defaults. */

import { UsageError } from "./command.ts";
import { print, printError } from "./output.ts";
import { readOptionalPassword } from "./password_input.ts";

/** Something to choose from. */
export interface Choice<T> {
  readonly label: string;
  readonly value: T;
}

/** How questions are answered. */
export interface Asker {
  /** @param fault why an answer will not do; it is asked again then */
  text(
    question: string,
    fallback: string,
    fault?: (answer: string) => string | undefined,
  ): string;
  /** The first one is the default. */
  choice<T>(question: string, choices: readonly Choice<T>[]): T;
  yes(question: string, fallback: boolean): boolean;
  /** Undefined: one is to be generated. */
  password(name: string): Promise<string | undefined>;
}

/** Takes every default. */
export const ACCEPTING: Asker = {
  text: (_question, fallback) => fallback,
  choice: (_question, [first]) => first.value,
  yes: (_question, fallback) => fallback,
  password: () => Promise.resolve(undefined),
};

/** @throws {UsageError} when there is no terminal */
export function terminalAsker(): Asker {
  if (!Deno.stdin.isTerminal()) {
    throw new UsageError("Expected a terminal to ask on, or --yes to ask nothing, got neither");
  }
  return {
    text(question, fallback, fault = () => undefined) {
      for (;;) {
        const answer = answerTo(`${question} [${fallback}]: `) || fallback;
        const wrong = fault(answer);
        if (wrong === undefined) return answer;
        printError(wrong);
      }
    },
    choice(question, choices) {
      if (choices.length === 1) return choices[0].value;
      print(`${question}:`);
      choices.forEach(({ label }, i) => print(`  ${i + 1}) ${label}`));
      for (;;) {
        const answer = answerTo("Which one [1]: ") || "1";
        const chosen = /^\d+$/.test(answer) ? choices[Number(answer) - 1] : undefined;
        if (chosen !== undefined) return chosen.value;
        printError(`Expected a number from 1 to ${choices.length}, got ${answer}`);
      }
    },
    yes(question, fallback) {
      for (;;) {
        const answer = answerTo(`${question} [${fallback ? "Y/n" : "y/N"}]: `);
        if (answer === "") return fallback;
        if (/^y(es)?$/i.test(answer)) return true;
        if (/^no?$/i.test(answer)) return false;
        printError(`Expected y or n, got ${answer}`);
      }
    },
    password: (name) => readOptionalPassword(`Password of ${name} (Enter for a random one): `),
  };
}

/** One line; the terminal gives it as a whole. @throws {Error} at the end of the input */
function answerTo(question: string): string {
  Deno.stdout.writeSync(new TextEncoder().encode(question));
  const buffer = new Uint8Array(4096);
  const count = Deno.stdin.readSync(buffer);
  if (count === null || count === 0) throw new Error("Interrupted");
  return new TextDecoder().decode(buffer.subarray(0, count)).trim();
}
