/** `imapd check --connect`: looks at the running server as its clients do. */

import { probeTargets } from "../app/probe_targets.ts";
import type { Config } from "../config/load.ts";
import { probeHttp } from "../probe/http_probe.ts";
import { probeImap, type ProbeOptions } from "../probe/imap_probe.ts";
import { probeLmtp } from "../probe/lmtp_probe.ts";
import type { Outcome } from "../probe/outcome.ts";
import { type Arguments, EXIT, isOn, optionalOption } from "./command.ts";
import { print, printError } from "./output.ts";
import { readPassword } from "./password_input.ts";

/** Tries all addresses of `config` and prints what came of it. @returns the exit status */
export async function connectCheck(args: Arguments, config: Config): Promise<number> {
  const name = optionalOption(args, "user");
  const ca = optionalOption(args, "ca");
  const options: ProbeOptions = {
    user: name === undefined
      ? undefined
      : { name, password: await readPassword(`Password of ${name}: `) },
    authorities: ca === undefined ? [] : [await Deno.readTextFile(ca)],
    now: Date.now(),
  };
  const { imap, lmtp, http, notes } = probeTargets(config, Deno.hostname());
  const outcomes = [...notes];
  for (const target of imap) outcomes.push(...await probeImap(target, options));
  for (const target of lmtp) outcomes.push(...await probeLmtp(target));
  for (const target of http) outcomes.push(...await probeHttp(target));
  const failed = outcomes.filter(({ state }) => state === "failed").length;
  if (isOn(args, "json")) { for (const outcome of outcomes) print(JSON.stringify(outcome)); }
  else {
    print(outcomeLines(outcomes));
    if (failed > 0) printError(`${failed} ${failed === 1 ? "thing" : "things"} FAILED`);
  }
  return failed > 0 ? EXIT.failure : EXIT.ok;
}

const WORDS = { ok: "ok", note: "note", failed: "FAILED" } as const;

/** A line for each outcome below its target, and one for what to do. */
export function outcomeLines(outcomes: readonly Outcome[]): string {
  const lines: string[] = [];
  let current: string | undefined;
  for (const { target, step, state, detail, advice } of outcomes) {
    if (target !== current) lines.push(target);
    current = target;
    lines.push(`  ${WORDS[state].padEnd(6)} ${step}: ${detail}`);
    if (advice !== undefined) lines.push(`         → ${advice}`);
  }
  return lines.join("\n");
}
