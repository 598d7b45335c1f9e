/** `imapd doctor`: looks for what is wrong, and changes nothing. */

import type { Finding } from "../admin/operation.ts";
import { loadCheckedConfig } from "../app/checked_config.ts";
import { ConfigError } from "../config/load.ts";
import { withAdmin } from "./admin.ts";
import { type Arguments, type Command, configFile, EXIT, isOn, optionalOption } from "./command.ts";
import { config, json, storage } from "./options.ts";
import { print } from "./output.ts";

/** The row of `imapd doctor`. */
export const DOCTOR_COMMANDS: readonly Command[] = [
  {
    name: "doctor",
    operands: ["[ACCOUNT…]"],
    summary: "Check the config, the machine and all accounts, or these; change nothing.",
    options: { config, storage, json },
    run: doctor,
  },
];

/** `imapd doctor [ACCOUNT…]`; exit status 1 if anything failed */
export async function doctor(args: Arguments): Promise<number> {
  let failed = 0;
  let warnings = 0;
  const tell = (finding: Finding) => {
    if (finding.level === "failed") failed++;
    if (finding.level === "warning") warnings++;
    print(isOn(args, "json") ? JSON.stringify(finding) : lineOf(finding));
  };
  for (const text of await configFaults(configFile(args))) {
    tell({
      level: "failed",
      subject: "config",
      text,
      advice: "correct it, then reload the server",
    });
  }
  if (failed === 0) {
    const params = { accounts: args.operands, storage: optionalOption(args, "storage") };
    await withAdmin(args, async (admin) => {
      for await (const finding of admin.call("doctor", params)) tell(finding);
    });
  }
  if (!isOn(args, "json")) print(`${failed} failed, ${warnings} to be looked at`);
  return failed > 0 ? EXIT.failure : EXIT.ok;
}

async function configFaults(file: string): Promise<readonly string[]> {
  try {
    await loadCheckedConfig(file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const LABELS = { ok: "ok     ", warning: "warning", failed: "FAILED " } as const;

function lineOf({ level, subject, text, advice }: Finding): string {
  const line = `${LABELS[level]}  ${subject}: ${text}`;
  return advice === undefined ? line : `${line}\n           → ${advice}`;
}
