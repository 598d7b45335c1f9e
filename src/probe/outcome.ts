/** What a look at a running server found. */

/** One thing that was tried. */
export interface Outcome {
  /** The address as the config spells it. */
  readonly target: string;
  /** What was tried, such as "login". */
  readonly step: string;
  /** A note is allowed, but good to know. */
  readonly state: "ok" | "note" | "failed";
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Outcomes of one target. */
export class Findings {
  readonly outcomes: Outcome[] = [];

  constructor(readonly target: string) {}

  ok(step: string, detail: string): void {
    this.#add({ step, state: "ok", detail });
  }

  note(step: string, detail: string, advice?: string): void {
    this.#add({ step, state: "note", detail, advice });
  }

  failed(step: string, detail: string, advice?: string): void {
    this.#add({ step, state: "failed", detail, advice });
  }

  #add(found: Omit<Outcome, "target">): void {
    this.outcomes.push({ target: this.target, ...found });
  }
}

/** The message of what was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
