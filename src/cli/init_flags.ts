/** What `imapd init` is told on the command line. */

import { isAbsolute, resolve } from "node:path";
import { type AuthAnswer, STATE_DIR } from "../app/setup/answers.ts";
import { isHostname } from "../config/kinds.ts";
import {
  type Arguments,
  configFile,
  optionalOption,
  repeatedOption,
  UsageError,
} from "./command.ts";

/** The options as they were given, looked at each for itself. */
export interface InitFlags {
  readonly root: string;
  readonly hostname?: string;
  readonly domains: readonly string[];
  /** A pair is a certificate and its key. */
  readonly tls?: "acme" | "self_signed" | readonly [string, string];
  readonly email?: string;
  /** A path template. */
  readonly mail?: string;
  readonly auth?: AuthAnswer;
  /** "none" is nobody. */
  readonly user?: string;
  readonly serviceUser?: string;
  readonly configFile: string;
  readonly stateDir: string;
  readonly program: string;
}

/** @throws {UsageError} */
export function initFlags(args: Arguments): InitFlags {
  const option = (name: string) => optionalOption(args, name);
  const domains = repeatedOption(args, "domain").flatMap((text) => text.split(/[\s,]+/))
    .filter((text) => text !== "");
  return {
    root: resolve(option("root") ?? "/"),
    hostname: checked(option("hostname")?.toLowerCase(), "--hostname", hostnameFault),
    domains: domains.map((domain) => checked(domain.toLowerCase(), "--domain", hostnameFault)),
    tls: tlsOf(option("tls")),
    email: option("email"),
    mail: checked(option("mail"), "--mail", templateFault),
    auth: authOf(option("auth")),
    user: option("user"),
    serviceUser: checked(option("service-user"), "--service-user", accountFault),
    configFile: checked(configFile(args), "--config", pathFault),
    stateDir: checked(option("state-dir") ?? STATE_DIR, "--state-dir", pathFault),
    program: checked(option("program") ?? ownPath(), "--program", pathFault),
  };
}

/** Why a text is no host name that clients can connect to. */
export function hostnameFault(text: string): string | undefined {
  if (isHostname(text)) return undefined;
  return `Expected a host name such as mail.example.org, got ${text}`;
}

/** Why a text is no path template. */
export function templateFault(text: string): string | undefined {
  const fields = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, field]) => field);
  const isFit = text.startsWith("/") &&
    fields.some((each) => each === "account" || each === "local") &&
    fields.every((each) => ["account", "local", "domain"].includes(each)) && !/["\\\n]/.test(text);
  return isFit
    ? undefined
    : `Expected an absolute path with {account}, or {local} and {domain}, got ${text}`;
}

/** Why a text is no name of a user of the system. */
export function accountFault(text: string): string | undefined {
  return /^[A-Za-z_][\w.-]{0,31}$/.test(text) ? undefined : `Expected a user, got ${text}`;
}

/** Paths stand in a unit and in commands for the shell, where others would need quotes. */
function pathFault(text: string): string | undefined {
  return isAbsolute(text) && /^[\w./@+-]+$/.test(text) && !text.split("/").includes("..")
    ? undefined
    : `Expected an absolute path without blanks and quotes, got ${text}`;
}

function checked<T extends string | undefined>(
  text: T,
  option: string,
  fault: (text: string) => string | undefined,
): T {
  const wrong = text === undefined ? undefined : fault(text);
  if (wrong !== undefined) throw new UsageError(`${option}: ${wrong}`);
  return text;
}

function tlsOf(text: string | undefined): InitFlags["tls"] {
  if (text === undefined || text === "acme" || text === "self_signed") return text;
  const [cert, key, ...more] = text.split(",");
  const isPair = key !== undefined && more.length === 0 &&
    [cert, key].every((path) => pathFault(path) === undefined);
  if (isPair) return [cert, key];
  throw new UsageError(`Expected acme, self_signed or CERT,KEY for --tls, got ${text}`);
}

function authOf(text: string | undefined): AuthAnswer | undefined {
  if (text === undefined || text === "file" || text === "pam") return text;
  throw new UsageError(`Expected file or pam for --auth, got ${text}`);
}

/** Where the compiled program is; Deno itself is not it. */
function ownPath(): string {
  const path = Deno.execPath();
  return path.endsWith("/imapd") ? path : "/usr/local/bin/imapd";
}
