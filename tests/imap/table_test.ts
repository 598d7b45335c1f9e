import { NO_PENALTIES } from "../../src/auth/auth.ts";
import { deepStrictEqual, match, ok } from "node:assert/strict";
import type { AnyRow } from "../../src/imap/command_rows.ts";
import { capabilities, commandTable } from "../../src/imap/table.ts";
import { KeyMemory } from "../../src/imap/key_memory.ts";
import { LastingTexts } from "../../src/imap/lasting_texts.ts";
import type { Context } from "../../src/imap/command.ts";
import { NO_IMAP_METER } from "../../src/imap/meter.ts";
import { NO_SERVER_ANNOTATIONS } from "../../src/imap/server_annotations.ts";
import { Session, type User } from "../../src/imap/session.ts";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { memoryLog } from "../../src/log.ts";

const ROWS: readonly (readonly [string, AnyRow])[] = [...commandTable()];

const anyone = () => Promise.resolve({ ok: true, username: "ann" } as const);

/** What a client that has logged in is told, on a connection with TLS. */
async function announced(): Promise<readonly string[]> {
  const dir = await Deno.makeTempDir();
  const log = memoryLog([]);
  const store = new MaildirStore({
    path: (name) => `${dir}/${name}`,
    specialFolders: [],
    memoryBudget: 1 << 20,
    log,
  });
  try {
    const user: User = { name: "ann", account: await store.account("ann") };
    const session = new Session("1", "127.0.0.1", true);
    session.enter({ name: "authenticated", user });
    const service: Context["service"] = {
      login: {
        can: { password: true, scram: [], token: false },
        penalties: NO_PENALTIES,
        password: anyone,
        token: anyone,
        scramKeys: () => Promise.reject(new Error("Expected no SCRAM")),
        proven: anyone,
      },
      store,
      userConnections: { logIn: () => () => {} },
      log,
      hostname: "mail.example.org",
      version: "0",
      insecureAuth: false,
      saslLogin: false,
      tls: true,
      admins: new Set(),
      annotations: NO_SERVER_ANNOTATIONS,
      appendLimit: 1000,
      appendLimits: new Map(),
      keepalive: 1000,
      now: () => 0,
      meter: NO_IMAP_METER,
      keyMemory: new KeyMemory(),
      lastingTexts: new LastingTexts(),
    };
    return capabilities({ session, service });
  } finally {
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("commandTable() names the section of an RFC for each row, and docs/rfcs.md has it", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/rfcs.md", import.meta.url));
  const listed = new Set([...text.matchAll(/^\| \[(\d+)\]/gm)].map(([, number]) => number));
  ok(ROWS.length >= 30 && listed.size >= 20);
  for (const [name, { rfc }] of ROWS) match(rfc, /^RFC \d+ §\d+(\.\d+)*$/, name);
  const missing = ROWS.filter(([, { rfc }]) => !listed.has(rfc.match(/\d+/)?.[0] ?? ""));
  deepStrictEqual(missing.map(([name, { rfc }]) => `${name}: ${rfc}`), []);
});

Deno.test("capabilities() has what every row stands for once a client has logged in", async () => {
  const all = await announced();
  deepStrictEqual(all, [...new Set(all)]);
  const wanted = ROWS.flatMap(([name, row]) =>
    [row.capability ?? []].flat().map((capability) => ({ name, capability }))
  );
  ok(wanted.length >= 10);
  deepStrictEqual(wanted.filter(({ capability }) => !all.includes(capability)), []);
});

Deno.test("capabilities() are those that README.md tells of", async () => {
  const text = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const extensions = text.match(/^\| Extensions *\|(.*)\|$/m)?.[1].trim().split(" ") ?? [];
  const told = extensions.filter((name) => !name.startsWith("AUTH="));
  const names = (await announced()).map((name) => name.replace(/^(APPENDLIMIT)=.*/, "$1"));
  deepStrictEqual(["IMAP4rev1", ...told].sort(), names.sort());
});
