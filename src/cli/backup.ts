/** `imapd backup …` and `imapd restore`: all mail, and what the server needs besides. */

import { resolve } from "node:path";
import { openAdmin } from "../app/control.ts";
import { backUp, type BackupSummary } from "../backup/backup.ts";
import { completeBackups, findBackup } from "../backup/layout.ts";
import { type AccountEntry, type Manifest, readManifest } from "../backup/manifest.ts";
import {
  checkPlaces,
  chosenAccounts,
  type Destination,
  restoreAccount,
  type Restored,
  restoreSystem,
} from "../backup/restore.ts";
import { verifyBackup } from "../backup/verify.ts";
import { accountPath } from "../auth/account_name.ts";
import { loadConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
import { withAdmin } from "./admin.ts";
import {
  type Arguments,
  configFile,
  EXIT,
  isOn,
  optionalOption,
  repeatedOption,
  UsageError,
} from "./command.ts";
import { confirm } from "./confirmation.ts";
import { print, printError } from "./output.ts";
import { Progress } from "./progress.ts";
import { printRows } from "./table_output.ts";

/** `imapd backup DIR` */
export async function backup(args: Arguments): Promise<number> {
  const accounts = repeatedOption(args, "account");
  const keep = keepOption(args);
  if (keep !== undefined && accounts.length > 0) {
    throw new UsageError("Expected --keep without --account: backups of all would be removed");
  }
  return await withAdmin(args, async (admin, config) => {
    const summary = await withProgress(args, (progress) =>
      backUp(admin, {
        config,
        configFile: resolve(configFile(args)),
        dir: resolve(args.operands[0]),
        accounts,
        copy: isOn(args, "copy"),
        keep,
        progress,
      }));
    tellBackup(args, summary);
    return summary.failed.length === 0 ? EXIT.ok : EXIT.failure;
  });
}

function keepOption(args: Arguments): number | undefined {
  const given = optionalOption(args, "keep");
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(given)) {
    throw new UsageError(`Expected a number from 1 for --keep, got ${given}`);
  }
  return Number(given);
}

async function withProgress<T>(
  args: Arguments,
  work: (progress: (done: { messages: number; octets: number }) => void) => Promise<T>,
): Promise<T> {
  const progress = new Progress();
  try {
    return await work((done) => isOn(args, "quiet") ? undefined : progress.show(done));
  } finally {
    progress.end();
  }
}

function tellBackup(args: Arguments, summary: BackupSummary): void {
  if (isOn(args, "json")) return print(JSON.stringify(summary));
  const { accounts, messages, octets, copied, linked, failed, removed, path } = summary;
  for (const { place, reason } of failed) printError(`imapd: Not whole: ${place}: ${reason}`);
  if (isOn(args, "quiet")) return;
  print(
    `${path}: accounts ${accounts}, messages ${messages}, octets ${octets}; linked ${linked}, ` +
      `copied ${copied.files} (${copied.octets} octets), failed ${failed.length}`,
  );
  if (removed.length > 0) print(`Removed ${removed.join(", ")}`);
}

/** `imapd backup list DIR` */
export async function backupList(args: Arguments): Promise<number> {
  const [dir] = args.operands;
  async function* rows() {
    for (const { stamp, path } of await completeBackups(dir)) {
      const { time, accounts, messages, octets, copied, failed } = await readManifest(path);
      const names = accounts.map(({ name }) => name);
      yield { stamp, time, accounts: names, messages, octets, copied, failed: failed.length };
    }
  }
  await printRows(args, rows(), [
    { title: "BACKUP", text: ({ stamp }) => stamp },
    { title: "ACCOUNTS", text: ({ accounts }) => accounts.length, right: true },
    { title: "MESSAGES", text: ({ messages }) => messages, right: true },
    { title: "OCTETS", text: ({ octets }) => octets, right: true },
    { title: "COPIED", text: ({ copied }) => copied.octets, right: true },
    { title: "FAILED", text: ({ failed }) => failed, right: true },
  ], "No backups");
  return EXIT.ok;
}

/** `imapd backup verify DIR[/STAMP]` */
export async function backupVerify(args: Arguments): Promise<number> {
  const { path } = await findBackup(args.operands[0]);
  const found = await withProgress(args, (progress) => verifyBackup(path, progress));
  const { files, octets, differences } = found;
  if (isOn(args, "json")) print(JSON.stringify({ path, ...found }));
  else {
    for (const difference of differences) {
      print(`${path}/${difference.path}: ${difference.reason}`);
    }
    print(`${path}: files ${files}, octets ${octets}, differences ${differences.length}`);
  }
  return differences.length === 0 ? EXIT.ok : EXIT.failure;
}

/** `imapd restore DIR[/STAMP]` */
export async function restore(args: Arguments): Promise<number> {
  const place = await findBackup(args.operands[0]);
  const manifest = await readManifest(place.path);
  const accounts = chosenAccounts(manifest, repeatedOption(args, "account"));
  const messages = accounts.reduce((sum, each) => sum + each.messages, 0);
  const question = `Restore ${accounts.length} accounts with ${messages} messages of ` +
    `${place.stamp}?`;
  if (!confirm(args, question)) return EXIT.failure;
  const to = optionalOption(args, "to");
  const root = to === undefined ? "" : resolve(to);
  if (isOn(args, "system")) {
    for (const { path, written } of await restoreSystem(place, manifest, root)) {
      tell(args, written ? `Restored ${path}` : `Kept ${path}, which was there`);
    }
  }
  return await withDestination(args, manifest, { root, accounts }, async (destination) => {
    await checkPlaces(accounts, destination);
    const done: Restored[] = [];
    const failed: { name: string; reason: string }[] = [];
    for (const account of accounts) {
      try {
        const restored = await restoreAccount(place, manifest, account, destination);
        done.push(restored);
        tellRestored(args, restored);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        failed.push({ name: account.name, reason });
        printError(`imapd: Not restored: ${account.name}: ${reason}`);
      }
    }
    if (isOn(args, "json")) {
      print(JSON.stringify({ backup: place.path, accounts: done, failed }));
    }
    return failed.length === 0 ? EXIT.ok : EXIT.failure;
  });
}

function tell(args: Arguments, line: string): void {
  if (!isOn(args, "json")) print(line);
}

function tellRestored(args: Arguments, { name, messages, path, aside }: Restored): void {
  tell(args, `Restored ${name} to ${path}: messages ${messages}`);
  if (aside !== undefined) tell(args, `What was there is kept in ${aside}`);
}

async function withDestination<T>(
  args: Arguments,
  manifest: Manifest,
  { root, accounts }: { root: string; accounts: readonly AccountEntry[] },
  work: (destination: Destination) => Promise<T>,
): Promise<T> {
  const force = isOn(args, "force");
  if (root !== "") return await work({ root, storages: manifest.storages, accountPath, force });
  const file = optionalOption(args, "config") ?? manifest.config;
  if (accounts.length > 0 && !await Deno.stat(file).then(() => true, () => false)) {
    throw new UsageError(`Expected a config at ${file}, got none: --system restores it`);
  }
  const config = await loadConfig(file);
  const storages = Object.fromEntries(
    [...config.imap, ...config.lmtp].map(({ storage }) => [storage.blockName ?? "", storage.path]),
  );
  const log = createLog(["stderr"], false);
  const admin = await openAdmin(config, log);
  try {
    return await work({ root, storages, accountPath, admin, force });
  } finally {
    await admin.close();
    await log.close();
  }
}
