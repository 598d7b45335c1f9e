// Settings of maildir, as what clients find in their accounts.

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";
import { startWith } from "../tls/running_server.ts";
import { FAILED, login } from "./logins.ts";

const ROWS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["", {
    ...{ Archive: "\\Archive", Drafts: "\\Drafts", Junk: "\\Junk" },
    ...{ Sent: "\\Sent", Trash: "\\Trash" },
  }],
  ["special_folders = {}", {}],
  [
    'special_folders = { Out = "sent", "Out/Bin" = "trash", Spam = "junk", Notes = "drafts", ' +
    'Old = "archive", Everything = "all", Stars = "flagged" }',
    {
      ...{ Everything: "\\All", Notes: "\\Drafts", Old: "\\Archive", Out: "\\Sent" },
      ...{ "Out/Bin": "\\Trash", Spam: "\\Junk", Stars: "\\Flagged" },
    },
  ],
];

for (const [storage, folders] of ROWS) {
  Deno.test(`special_folders: a new account has those of "${storage}"`, async () => {
    await using server = await startServer({ storage: `${storage}\n` });
    const user = server.freshUser();
    await using client = await ImapClient.login(
      { host: "127.0.0.1", port: server.port },
      user,
      PASSWORD,
    );
    const names = async (command: string) =>
      (await client.command(command)).untagged.map((line) =>
        /"\/" "?([^"]+)"?$/.exec(line)?.[1] ?? line
      ).sort();
    const { untagged } = await client.command('LIST "" "*" RETURN (SPECIAL-USE)');
    const found = untagged.flatMap((line) => {
      const [, attributes, name] = /^\* LIST \((.*)\) "\/" "?([^"]+)"?$/.exec(line) ?? [];
      const use = /\\(All|Archive|Drafts|Flagged|Junk|Sent|Trash)\b/.exec(attributes)?.[0];
      return use === undefined ? [] : [[name, use]];
    });
    deepStrictEqual(Object.fromEntries(found), folders);
    const all = [...Object.keys(folders), "INBOX"].sort();
    deepStrictEqual(await names('LIST "" "*"'), all);
    deepStrictEqual((await names('LSUB "" "*"')).filter((name) => name !== "INBOX"), [
      ...Object.keys(folders).sort(),
    ]);
  });
}

/** A path; the folder of each name's account, undefined for who has none. */
const PATHS: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
  ["{state_dir}/a/{account}", { "ann@x.example": "a/ann@x.example", ann: "a/ann" }],
  [
    "b/{domain}/{local}",
    { "ann@x.example": "b/x.example/ann", "ann@y.example": "b/y.example/ann", ann: undefined },
  ],
  [
    "{state_dir}/{local}/mail",
    { "ann@x.example": "ann/mail", "ann@y.example": "ann/mail", ann: "ann/mail" },
  ],
];

for (const [path, folders] of PATHS) {
  Deno.test(`path = "${path}": mailboxes lie there`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "imapd-path-" });
    const auth = '{ module = "pass_table", allow_plain = true, ' +
      'table = ["regexp", ".*", "{PLAIN}secret"] }';
    {
      await using server = await startWith(
        dir,
        'tls = "off"',
        `[[imap]]\nlisten = ["tcp://127.0.0.1:0"]\nauth = ${auth}\nstorage = "&mail"\n` +
          `[storage.mail]\nmodule = "maildir"\npath = "${path}"\n`,
      );
      const [port] = server.ports("tcp");
      for (const [name, folder] of Object.entries(folders)) {
        if (folder === undefined) {
          strictEqual(await login({ port }, name), FAILED, name);
          continue;
        }
        await using client = await ImapClient.login({ host: "127.0.0.1", port }, name, PASSWORD);
        const mailbox = `of-${name.replace(/\W/g, "-")}`;
        const { reply } = await client.command(`CREATE ${mailbox}`);
        ok(reply.startsWith("OK"), reply);
        ok((await Deno.stat(`${dir}/${folder}/.${mailbox}/cur`)).isDirectory, mailbox);
        const { untagged } = await client.command('LIST "" "of-*"');
        const sharing = Object.values(folders).slice(0, Object.keys(folders).indexOf(name) + 1)
          .filter((other) => other === folder);
        strictEqual(untagged.length, sharing.length, name);
      }
    }
    await Deno.remove(dir, { recursive: true });
  });
}
