/** Dovecot as its files describe it: where mail is, and who has which password. */

import { dirname, resolve } from "node:path";
import { pathOfDovecot } from "./dovecot_variables.ts";
import type { Machine } from "./machine.ts";

/** Where its mail is. */
export interface DovecotMail {
  /** As it is written there. */
  readonly written: string;
  /** The path template of imapd; absent where there is none for it. */
  readonly template?: string;
  /** Why its folders cannot be taken as they are, as the end of a sentence. */
  readonly unfit?: string;
}

/** A file of its passdb. */
export interface DovecotPasswords {
  /** `%d` and the like are still in it. */
  readonly path: string;
  /** Of hashes that do not tell theirs. */
  readonly scheme: string;
  /** Who is in it may not log in. */
  readonly denies: boolean;
}

/** A Dovecot of a machine. */
export interface Dovecot {
  readonly mail?: DovecotMail;
  readonly passwords: readonly DovecotPasswords[];
  /** Users of the system log in, by PAM or by shadow(5). */
  readonly asksSystem: boolean;
}

interface Line {
  /** Blocks around it, such as ["passdb"] or ["passdb passwd-file", "fields"]. */
  readonly blocks: readonly string[];
  readonly key: string;
  readonly value: string;
}

const MAIN = "/etc/dovecot/dovecot.conf";
const DEEPEST = 10;

/** Undefined where there is none. */
export function findDovecot(machine: Machine): Dovecot | undefined {
  if (machine.info(MAIN) === undefined) return undefined;
  const lines = linesOf(machine, MAIN, 0);
  const drivers = blocksOf(lines, "passdb").map((block) => driverOf(block));
  return {
    mail: mailOf(lines),
    passwords: blocksOf(lines, "passdb").flatMap(passwordsOf),
    asksSystem: drivers.some((driver) => driver === "pam" || driver === "shadow"),
  };
}

function mailOf(lines: readonly Line[]): DovecotMail | undefined {
  const top = (key: string) =>
    lines.findLast((line) => line.key === key && line.blocks.length === 0)?.value;
  const home = homeOf(lines) ?? top("mail_home");
  const location = top("mail_location");
  if (location !== undefined && location !== "") {
    const [driver, path = "", ...options] = location.split(":");
    const layout = options.find((option) => option.startsWith("LAYOUT="))?.slice(7);
    return placeOf(location, driver, path, layout, home);
  }
  const [driver, path] = [top("mail_driver"), top("mail_path")];
  if (driver === undefined || path === undefined) return undefined;
  return placeOf(`${driver}:${path}`, driver, path, top("mailbox_list_layout"), home);
}

function placeOf(
  written: string,
  driver: string,
  path: string,
  layout: string | undefined,
  home: string | undefined,
): DovecotMail {
  if (driver !== "maildir") return { written, unfit: `it is kept as ${driver}, not as Maildir` };
  if (layout !== undefined && !/^maildir\+\+$/i.test(layout)) {
    return { written, unfit: `its folders have the layout ${layout}, not that of Maildir++` };
  }
  const template = pathOfDovecot(path, home);
  return template === undefined
    ? { written, unfit: "its path has variables that imapd has not" }
    : { written, template };
}

/** Where users without an entry of their own live. */
function homeOf(lines: readonly Line[]): string | undefined {
  for (const block of blocksOf(lines, "userdb")) {
    if (driverOf(block) !== "static") continue;
    const args = block.find(({ key }) => key === "args")?.value ?? "";
    const home = args.match(/(?:^|\s)home=(\S+)/)?.[1] ??
      block.find(({ key }) => key === "home" || key === "userdb_fields/home")?.value;
    if (home !== undefined) return home;
  }
  return undefined;
}

function passwordsOf(block: readonly Line[]): DovecotPasswords[] {
  if (driverOf(block) !== "passwd-file") return [];
  const value = (key: string) => block.find((line) => line.key === key)?.value;
  // Master users log in as anybody: they are nobody's own.
  if (value("master") === "yes") return [];
  const args = (value("args") ?? "").split(/\s+/);
  const path = value("passwd_file_path") ?? args.find((arg) => arg.startsWith("/"));
  const scheme = value("default_password_scheme") ?? value("passdb_default_password_scheme") ??
    args.find((arg) => arg.startsWith("scheme="))?.slice(7) ?? "CRYPT";
  const denies = value("deny") === "yes";
  return path === undefined ? [] : [{ path, scheme: scheme.toUpperCase(), denies }];
}

/** `driver = pam` in the block, or 2.4's name of it: `passdb pam { … }`. */
function driverOf(block: readonly Line[]): string | undefined {
  return block.find(({ key }) => key === "driver" || key.endsWith("_driver"))?.value ??
    block[0]?.blocks[0].split(/\s+/)[1]?.replace("passwdfile", "passwd-file");
}

/** The lines of each `kind { … }`; a mark at its start keeps neighbours apart. */
function blocksOf(lines: readonly Line[], kind: string): Line[][] {
  const blocks: Line[][] = [];
  for (const line of lines) {
    if (line.blocks[0]?.split(/\s+/)[0] !== kind) continue;
    if (line.key === START && line.blocks.length === 1) blocks.push([line]);
    else blocks.at(-1)?.push(line);
  }
  return blocks;
}

const START = "{";

function linesOf(machine: Machine, path: string, depth: number): Line[] {
  const found: Line[] = [];
  const blocks: string[] = [];
  for (const raw of (machine.text(path) ?? "").split("\n")) {
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    const include = line.match(/^!include(?:_try)?\s+(\S+)$/)?.[1];
    if (include !== undefined && depth < DEEPEST) {
      for (const file of filesOf(machine, resolve(dirname(path), include))) {
        found.push(
          ...linesOf(machine, file, depth + 1).map((each) => ({
            ...each,
            blocks: [...blocks, ...each.blocks],
          })),
        );
      }
    } else if (line.endsWith("{")) {
      blocks.push(line.slice(0, -1).trim());
      found.push({ blocks: [...blocks], key: START, value: "" });
    } else if (line === "}") blocks.pop();
    else {
      const [, key, value] = /^([\w/-]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key !== undefined) found.push({ blocks: [...blocks], key, value: unquoted(value) });
    }
  }
  return found;
}

/** A pattern has stars in its last part only, as in `conf.d/*.conf`. */
function filesOf(machine: Machine, pattern: string): string[] {
  if (!pattern.includes("*")) return [pattern];
  const folder = dirname(pattern);
  const parts = pattern.slice(folder.length + 1).split("*").map(RegExp.escape);
  const names = new RegExp(`^${parts.join(".*")}$`);
  return machine.names(folder).filter((name) => names.test(name)).map((name) =>
    `${folder}/${name}`
  );
}

function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/, "$1");
}
