/**
 * Counters, gauges and histograms, and their exposition as OpenMetrics text.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */

/** What `text()` is, for HTTP. */
export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** The name without what its kind adds to it, such as `_total`. */
interface Description {
  readonly name: string;
  /** A sentence without a period. */
  readonly help: string;
  /** Names of labels; values are given to `of` in this order. Their combinations must be few. */
  readonly labels?: readonly string[];
}

type Kind = "counter" | "gauge" | "histogram" | "info";

/** Something with the text of its own lines. */
interface Metric {
  expose(name: string, labels: string): string;
}

/** Counts up. */
export class Counter implements Metric {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  /** @param by at least 0 */
  add(by = 1): void {
    this.#value += by;
  }

  expose(name: string, labels: string): string {
    return `${name}_total${braced(labels)} ${this.#value}\n`;
  }
}

/** A value that goes up and down. */
export class Gauge implements Metric {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  expose(name: string, labels: string): string {
    return `${name}${braced(labels)} ${numberText(this.value)}\n`;
  }
}

/** How many observations lie below each of some bounds. */
export class Histogram implements Metric {
  /** Observations in each bucket alone; the last one is for what is above all bounds. */
  readonly counts: Float64Array;
  #sum = 0;

  /** @param bounds upper bounds, included, ascending */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && value > bounds[at]) at++;
    this.counts[at]++;
    this.#sum += value;
  }

  expose(name: string, labels: string): string {
    const prefix = labels === "" ? "" : `${labels},`;
    let text = "";
    let count = 0;
    this.counts.forEach((own, i) => {
      count += own;
      const bound = i < this.bounds.length ? numberText(this.bounds[i]) : "+Inf";
      text += `${name}_bucket{${prefix}le="${bound}"} ${count}\n`;
    });
    return `${text}${name}_count${braced(labels)} ${count}\n` +
      `${name}_sum${braced(labels)} ${numberText(this.#sum)}\n`;
  }
}

/** A constant 1, whose labels are what it tells. */
class Info implements Metric {
  expose(name: string, labels: string): string {
    return `${name}_info${braced(labels)} 1\n`;
  }
}

/** All metrics of one name, one for each combination of labels that was asked for. */
export class Family<M extends Metric> {
  readonly #members = new Map<string, { readonly labels: string; readonly metric: M }>();

  constructor(
    readonly kind: Kind,
    readonly description: Description,
    private readonly make: () => M,
  ) {
    if (description.labels === undefined) this.of();
  }

  /** The metric with these values of the labels. Whoever needs it often should keep it. */
  of(...values: readonly string[]): M {
    const key = values.join("\0");
    const known = this.#members.get(key);
    if (known !== undefined) return known.metric;
    const labels = (this.description.labels ?? [])
      .map((name, i) => `${name}="${labelText(values[i])}"`).join(",");
    const metric = this.make();
    this.#members.set(key, { labels, metric });
    return metric;
  }

  /** All that there are. */
  *members(): Iterable<M> {
    for (const { metric } of this.#members.values()) yield metric;
  }

  /** Forgets all, before they are set anew: what is gone must not be told any more. */
  clear(): void {
    this.#members.clear();
  }

  expose(): string {
    const { name, help } = this.description;
    const unit = /_(seconds|bytes|octets)$/.exec(name)?.[1];
    const lines = Array.from(
      this.#members.values(),
      ({ labels, metric }) => metric.expose(name, labels),
    );
    return `# TYPE ${name} ${this.kind}\n${unit ? `# UNIT ${name} ${unit}\n` : ""}` +
      `# HELP ${name} ${helpText(help)}\n${lines.join("")}`;
  }
}

/** The metrics of one server. */
export class Registry {
  readonly #families = new Map<string, { expose(): string }>();
  readonly #collectors: (() => void)[] = [];

  counter(description: Description): Family<Counter> {
    return this.#add(new Family("counter", description, () => new Counter()));
  }

  gauge(description: Description): Family<Gauge> {
    return this.#add(new Family("gauge", description, () => new Gauge()));
  }

  /** @param bounds see {@link Histogram} */
  histogram(description: Description, bounds: readonly number[]): Family<Histogram> {
    return this.#add(new Family("histogram", description, () => new Histogram(bounds)));
  }

  /** Tells what does not change. */
  info(description: Omit<Description, "labels">, facts: Readonly<Record<string, string>>): void {
    const labels = Object.keys(facts);
    this.#add(new Family("info", { ...description, labels }, () => new Info()))
      .of(...Object.values(facts));
  }

  /** Calls `collector` before each exposition, for gauges whose values lie elsewhere. */
  collect(collector: () => void): void {
    this.#collectors.push(collector);
  }

  /** Brings all gauges up to date. */
  refresh(): void {
    for (const collector of this.#collectors) collector();
  }

  /** The exposition, see {@link OPENMETRICS_TYPE}. */
  text(): string {
    this.refresh();
    return [...this.#families.values()].map((family) => family.expose()).join("") + "# EOF\n";
  }

  #add<F extends Family<Metric>>(family: F): F {
    const { name } = family.description;
    if (this.#families.has(name)) throw new Error(`Expected a new name of a metric, got ${name}`);
    this.#families.set(name, family);
    return family;
  }
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function labelText(value: string): string {
  return value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}

function helpText(text: string): string {
  return text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}

/** Bounds have to look alike in all programs: `1.0`, not `1`. */
function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value);
}
