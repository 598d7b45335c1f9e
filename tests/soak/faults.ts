/** What went wrong in a soak, by kind. */

/** All kinds, in the order of the summary. */
export const FAULT_KINDS = [
  "lost",
  "doubled",
  "came back",
  "damaged",
  "UID reuse",
  "numbers back",
  "flags lost",
  "resync wrong",
  "mailboxes wrong",
  "settings lost",
  "refused",
  "bugs",
] as const;

export type FaultKind = typeof FAULT_KINDS[number];

/** So many are told; all are counted. */
const MOST_TOLD = 50;

/** Counts faults and tells them when they are found. */
export class Faults {
  readonly #counts = new Map<FaultKind, number>();
  readonly lines: string[] = [];
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void = () => {}) {
    this.#tell = tell;
  }

  add(kind: FaultKind, what: string): void {
    this.#counts.set(kind, this.count(kind) + 1);
    if (this.lines.length >= MOST_TOLD) return;
    const line = `${kind}: ${what}`;
    this.lines.push(line);
    this.#tell(line);
  }

  count(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get total(): number {
    return FAULT_KINDS.reduce((sum, kind) => sum + this.count(kind), 0);
  }

  /** `lost 0, doubled 0, …` */
  get summary(): string {
    return FAULT_KINDS.map((kind) => `${kind} ${this.count(kind)}`).join(", ");
  }
}
