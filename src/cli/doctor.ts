/** `imapd doctor`: looks for what is wrong, and mends it if it is asked to. */

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
    summary: "Check the config, the machine and all accounts, or these; exit with 1 if any failed.",
    options: {
      config,
      storage,
      repair: {
        doc: "Mend what can be mended of accounts; no message is removed. Else nothing is changed.",
      },
      thorough: {
        doc: "Read all messages, and check what SEARCH finds texts by against all of them.",
      },
      json,
    },
    run: doctor,
  },
];

/** `imapd doctor [ACCOUNT…]`; exit status 1 if anything failed, and was not mended */
export async function doctor(args: Arguments): Promise<number> {
  let failed = 0;
  let warnings = 0;
  let mended = 0;
  const tell = (finding: Finding) => {
    if (finding.level === "failed") failed++;
    if (finding.level === "warning") warnings++;
    if (finding.level === "mended") mended++;
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
    const params = {
      accounts: args.operands,
      storage: optionalOption(args, "storage"),
      repair: isOn(args, "repair"),
      thorough: isOn(args, "thorough"),
    };
    await withAdmin(args, async (admin) => {
      for await (const finding of admin.call("doctor", params)) tell(finding);
    });
  }
  if (!isOn(args, "json")) {
    const also = isOn(args, "repair") ? `, ${mended} mended` : "";
    print(`${failed} failed, ${warnings} to be looked at${also}`);
  }
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

const LABELS = {
  ok: "ok     ",
  warning: "warning",
  failed: "FAILED ",
  mended: "mended ",
} as const;

function lineOf({ level, subject, text, advice }: Finding): string {
  const line = `${LABELS[level]}  ${subject}: ${text}`;
  return advice === undefined ? line : `${line}\n           → ${advice}`;
}
