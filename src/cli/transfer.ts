/** `imapd import …` and `imapd export …`: mail of other programs. */

import { type ImapLogin, ImapSource } from "../transfer/imap_source.ts";
import {
  importFrom,
  type ImportSummary,
  type ImportTarget,
  isWanted,
} from "../transfer/sending.ts";
import { MaildirSource } from "../transfer/maildir_source.ts";
import { MaildirWriter } from "../transfer/maildir_writer.ts";
import { MboxSource } from "../transfer/mbox_source.ts";
import { MboxWriter } from "../transfer/mbox_writer.ts";
import type { Source } from "../transfer/source.ts";
import { writeItems, type Writer } from "../transfer/writer.ts";
import { accountNamed } from "./account_name.ts";
import { withAdmin } from "./admin.ts";
import {
  type Arguments,
  EXIT,
  isOn,
  optionalOption,
  repeatedOption,
  UsageError,
} from "./command.ts";
import { print, printError } from "./output.ts";
import { readPassword } from "./password_input.ts";
import { Progress } from "./progress.ts";

/** `imapd import maildir PATH ACCOUNT` */
export async function importMaildir(args: Arguments): Promise<number> {
  return await importFolders(args, false);
}

/** `imapd import dovecot PATH ACCOUNT` */
export async function importDovecot(args: Arguments): Promise<number> {
  return await importFolders(args, true);
}

async function importFolders(args: Arguments, dovecot: boolean): Promise<number> {
  const [path, account] = args.operands;
  const mailbox = optionalOption(args, "mailbox");
  return await runImport(args, new MaildirSource(path, { dovecot }), { account, mailbox });
}

/** `imapd import mbox PATH… ACCOUNT` */
export async function importMbox(args: Arguments): Promise<number> {
  const paths = args.operands.slice(0, -1);
  const account = args.operands[args.operands.length - 1];
  return await runImport(args, new MboxSource(paths, optionalOption(args, "mailbox")), { account });
}

/** `imapd import imap imaps://USER@HOST ACCOUNT` */
export async function importImap(args: Arguments): Promise<number> {
  const [address, account] = args.operands;
  const login = await imapLogin(args, address);
  const mailbox = optionalOption(args, "mailbox");
  return await runImport(args, await ImapSource.open(login), { account, mailbox });
}

async function imapLogin(args: Arguments, address: string): Promise<ImapLogin> {
  const url = URL.parse(address);
  const implicitTls = url?.protocol === "imaps:";
  if (!url || !/^imaps?:$/.test(url.protocol) || url.username === "" || url.password !== "") {
    throw new UsageError(`Expected imaps://USER@HOST or imap://USER@HOST, got ${address}`);
  }
  const tokenFile = optionalOption(args, "token-file");
  const passwordFile = optionalOption(args, "password-file");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (implicitTls ? 993 : 143)),
    implicitTls,
    insecureTls: isOn(args, "insecure-tls"),
    user: decodeURIComponent(url.username),
    ...tokenFile !== undefined
      ? { accessToken: (await Deno.readTextFile(tokenFile)).trim() }
      : { password: await passwordOf(passwordFile) },
  };
}

async function passwordOf(file: string | undefined): Promise<string> {
  if (file === undefined) return await readPassword();
  return (await Deno.readTextFile(file)).replace(/\r?\n$/, "");
}

async function runImport(
  args: Arguments,
  source: Source,
  what: Pick<ImportTarget, "account" | "mailbox">,
): Promise<number> {
  const storage = optionalOption(args, "storage");
  const options = {
    storage,
    prefix: optionalOption(args, "prefix"),
    exclude: repeatedOption(args, "exclude"),
    dryRun: isOn(args, "dry-run"),
  };
  return await withAdmin(args, async (admin, config) => {
    const progress = new Progress();
    try {
      const account = accountNamed(what.account, config, storage);
      if (account !== what.account) {
        printError(`imapd: The account is ${account}, as logins have it`);
      }
      const target: ImportTarget = { ...what, ...options, account };
      progress.total = await source.count?.((name) => isWanted(target, name));
      const summary = await importFrom(
        source,
        admin,
        target,
        (now) => progress.show({ messages: now.new + now.known, octets: now.octets }),
      );
      progress.end();
      tellImport(args, summary);
      return summary.failed.length === 0 ? EXIT.ok : EXIT.failure;
    } finally {
      progress.end();
      await source.close?.();
    }
  });
}

function tellImport(args: Arguments, summary: ImportSummary): void {
  if (isOn(args, "json")) return print(JSON.stringify(summary));
  const { mailboxes, known, flagsUpdated, renumbered, failed, lostUids } = summary;
  tellFailed(failed);
  for (const { place, reason } of lostUids) {
    printError(`imapd: UIDs of ${printable(place)} could not be kept: ${reason}`);
  }
  print(
    `Mailboxes ${mailboxes}, new ${summary.new}, known already ${known}, ` +
      `flags updated ${flagsUpdated}, renumbered ${renumbered}, failed ${failed.length}` +
      (isOn(args, "dry-run") ? " (nothing was stored)" : ""),
  );
}

function tellFailed(failed: ImportSummary["failed"]): void {
  for (const { place, reason } of failed) {
    printError(`imapd: Stepped over ${printable(place)}: ${printable(reason)}`);
  }
}

/** Names of files may have what terminals obey. */
function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** `imapd export maildir ACCOUNT DIR` */
export async function exportMaildir(args: Arguments): Promise<number> {
  return await runExport(args, (dir) => MaildirWriter.create(dir, { dovecot: false }));
}

/** `imapd export dovecot ACCOUNT DIR` */
export async function exportDovecot(args: Arguments): Promise<number> {
  return await runExport(args, (dir) => MaildirWriter.create(dir, { dovecot: true }));
}

/** `imapd export mbox ACCOUNT DIR` */
export async function exportMbox(args: Arguments): Promise<number> {
  return await runExport(args, (dir) => MboxWriter.create(dir));
}

async function runExport(
  args: Arguments,
  writerOf: (dir: string) => Promise<Writer>,
): Promise<number> {
  const [account, dir] = args.operands;
  const storage = optionalOption(args, "storage");
  const mailbox = optionalOption(args, "mailbox");
  return await withAdmin(args, async (admin) => {
    const progress = new Progress();
    try {
      const items = admin.call("export", { account, storage, mailbox });
      const summary = await writeItems(items, await writerOf(dir), (now) => progress.show(now));
      progress.end();
      if (isOn(args, "json")) print(JSON.stringify(summary));
      else {
        tellFailed(summary.failed);
        print(
          `Mailboxes ${summary.mailboxes}, messages ${summary.messages}, octets ${summary.octets}, ` +
            `failed ${summary.failed.length}`,
        );
      }
      return summary.failed.length === 0 ? EXIT.ok : EXIT.failure;
    } finally {
      progress.end();
    }
  });
}
