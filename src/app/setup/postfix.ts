/** Postfix as its files describe it. */

import type { Machine } from "./machine.ts";

const MAIN = "/etc/postfix/main.cf";
const MASTER = "/etc/postfix/master.cf";

/** What main.cf leaves out. */
const DEFAULTS: Readonly<Record<string, string>> = {
  mydestination: "$myhostname, localhost.$mydomain, localhost",
  virtual_mailbox_domains: "$virtual_mailbox_maps",
};

/** A Postfix of a machine. */
export class Postfix {
  readonly #parameters: ReadonlyMap<string, string>;
  readonly #services: readonly (readonly string[])[];

  private constructor(main: string, master: string, hostname: string) {
    const set = logicalLines(main).flatMap((line) => {
      const [, name, value] = /^([A-Za-z0-9_-]+)\s*=\s*(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value.trim()] as const];
    });
    const domain = hostname.includes(".")
      ? hostname.slice(hostname.indexOf(".") + 1)
      : "localdomain";
    this.#parameters = new Map([
      ...Object.entries({ ...DEFAULTS, myhostname: hostname, mydomain: domain }),
      ...set,
    ]);
    this.#services = logicalLines(master).map((line) => line.split(/\s+/));
  }

  /** Undefined where there is none. @param hostname that of the machine */
  static find(machine: Machine, hostname: string): Postfix | undefined {
    const main = machine.text(MAIN);
    return main === undefined ? undefined : new Postfix(main, machine.text(MASTER) ?? "", hostname);
  }

  /** The value of a parameter with others filled in; "" where it is not set. */
  value(name: string): string {
    return this.#expanded(this.#parameters.get(name) ?? "", 0);
  }

  /** The items of a list. */
  list(name: string): readonly string[] {
    return this.value(name).split(/[\s,]+/).filter((item) => item !== "");
  }

  /** The items of a list as they are written, each with its value. */
  items(name: string): readonly { readonly written: string; readonly value: string }[] {
    const written = (this.#parameters.get(name) ?? "").split(/[\s,]+/);
    return written.filter((item) => item !== "").map((item) => ({
      written: item,
      value: this.#expanded(item, 0),
    }));
  }

  /** Domains in a list; tables and files in it are not looked into. */
  domains(name: string): readonly string[] {
    return this.list(name).filter((item) => /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(item));
  }

  /** Whether its LMTP client sees nothing outside of its queue folder. */
  get hasChrootedLmtp(): boolean {
    const lmtp = this.#services.find(([name, type]) => name === "lmtp" && type === "unix");
    if (lmtp === undefined) return false;
    return lmtp[4] === "y" ||
      lmtp[4] === "-" && this.#parameters.get("compatibility_level") === undefined;
  }

  /** Whether it takes mail from users at this service, such as "submission". */
  hasService(...names: readonly string[]): boolean {
    return this.#services.some(([name, type]) => type === "inet" && names.includes(name));
  }

  #expanded(text: string, depth: number): string {
    if (depth > 10) return text;
    return text.replace(
      /\$(?:\{(\w+)\}|\((\w+)\)|(\w+))/g,
      (_, a, b, c) => this.#expanded(this.#parameters.get(a ?? b ?? c) ?? "", depth + 1),
    );
  }
}

/** Lines with those that go on from them; without comments. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (/^\s*(#|$)/.test(line)) continue;
    if (/^\s/.test(line) && lines.length > 0) lines[lines.length - 1] += ` ${line.trim()}`;
    else lines.push(line.trimEnd());
  }
  return lines;
}
