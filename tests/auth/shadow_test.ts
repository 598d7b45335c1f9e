import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { expiredReason, parseShadow } from "../../src/auth/shadow/entry.ts";
import { LibCrypt } from "../../src/auth/shadow/libcrypt.ts";
import { Shadow } from "../../src/auth/shadow/shadow.ts";
import { memoryLog } from "../../src/log.ts";
import { isInstalled, run } from "../clients/programs.ts";
import { authenticatorContract } from "../contracts/authenticator_contract.ts";
import { startServer } from "../harness.ts";
import { logged, loginReply } from "./login.ts";

const missing = canOpen() ? [] : ["libcrypt"];
const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `${name}${reason}`, ignore: missing.length > 0, fn });

function canOpen(): boolean {
  try {
    LibCrypt.open().close();
    return true;
  } catch {
    return false;
  }
}

/** Hashes of "Ann's own", made by Perl's crypt(). */
const HASHES = {
  yescrypt: "$y$j9T$AbcdefghAbcdefgh$jMa60KgB.qfUe25I302AL5pYLjAMtzZO3xymB50/f30",
  sha512:
    "$6$saltsalt$Eax5TQlC3Pybsu2swxV/fE1w2.2lXOVKdfUjIpO2A3yBm7K6a3kiBS10eh72iTTf4qlB3.YtAHMVxug0rBb6x0",
  sha256: "$5$rounds=5000$saltsalt$ggXOa1vjtWQbhUgcy6PBv9W4GD4y213WcW7IUGGuuZ1",
  bcrypt: "$2b$05$CCCCCCCCCCCCCCCCCCCCC.46g3ksE0IgwKvrxICrsmKPMiYyXELWK",
  md5: "$1$saltsalt$cGJFuMgXnmttkCmZMJtiK/",
};

const FILE = (hash: string) =>
  `root:*:19000:0:99999:7:::
ann:${hash}:19000:0:99999:7:::
locked:!${hash}:19000:0:99999:7:::
empty::19000:0:99999:7:::
`;

async function withShadow(
  text: string,
  body: (auth: Shadow, lines: readonly string[]) => Promise<void>,
  today = 20_000,
): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "imapd-shadow-" });
  await Deno.writeTextFile(path, text);
  const lines: string[] = [];
  const clock = () => today * 86_400_000;
  const auth = await Shadow.open({ path, log: memoryLog(lines), clock });
  try {
    await body(auth, lines);
  } finally {
    await auth.close();
    await Deno.remove(path);
  }
}

test("Shadow remembers a right password as long as the file has its hash", async () => {
  const path = await Deno.makeTempFile({ prefix: "imapd-shadow-" });
  await Deno.writeTextFile(path, FILE(HASHES.bcrypt));
  const auth = await Shadow.open({ path, log: memoryLog([]), cache: 60_000 });
  try {
    for (const name of ["ann", "ann", "locked", "nobody", "nobody"]) {
      strictEqual((await auth.checkPassword(name, "Ann's own")).ok, name === "ann");
    }
    await Deno.writeTextFile(path, FILE(`!${HASHES.bcrypt}`));
    strictEqual((await auth.checkPassword("ann", "Ann's own")).ok, false);
    await Deno.writeTextFile(path, FILE("$1$saltsalt$AAAAAAAAAAAAAAAAAAAAA/"));
    strictEqual((await auth.checkPassword("ann", "Ann's own")).ok, false);
  } finally {
    await auth.close();
    await Deno.remove(path);
  }
});

authenticatorContract("Shadow", missing, async () => {
  const path = await Deno.makeTempFile({ prefix: "imapd-shadow-" });
  await Deno.writeTextFile(path, FILE(HASHES.sha512));
  const lines: string[] = [];
  const auth = await Shadow.open({ path, log: memoryLog(lines) });
  return {
    auth,
    lines,
    username: "ann",
    password: "Ann's own",
    stopPeer: () => Deno.rename(path, `${path}-away`),
    startPeer: () => Deno.rename(`${path}-away`, path),
    async [Symbol.asyncDispose]() {
      await auth.close();
      await Deno.remove(path);
    },
  };
});

for (const [scheme, hash] of Object.entries(HASHES)) {
  test(`Shadow checks ${scheme}`, () =>
    withShadow(FILE(hash), async (auth) => {
      deepStrictEqual(await auth.checkPassword("ann", "Ann's own"), { ok: true, username: "ann" });
      strictEqual((await auth.checkPassword("ann", "ann's own")).ok, false);
    }));
}

test("Shadow refuses locked, empty and unknown accounts", () =>
  withShadow(FILE(HASHES.sha512), async (auth, lines) => {
    for (
      const [name, detail] of [
        ["locked", "the account is locked"],
        ["root", "the account is locked"],
        ["empty", "no password"],
        ["nobody", "unknown user"],
        ["ann:x", "unknown user"],
      ]
    ) {
      deepStrictEqual(await auth.checkPassword(name, "Ann's own"), {
        ok: false,
        reason: "bad-credentials",
        detail,
      });
    }
    deepStrictEqual(lines, []);
  }));

test("Shadow hashes the same for all who are refused, where kinds are mixed", () => {
  const entry = (name: string, hash: string) => `${name}:${hash}:19000:0:99999:7:::\n`;
  const text = entry("ann", HASHES.sha512) + entry("bob", HASHES.bcrypt) +
    entry("eve", HASHES.sha512.replace("$6$", "$6$rounds=1000$")) +
    entry("locked", `!${HASHES.md5}`);
  return withShadow(text, async (auth) => {
    const costs: string[] = [];
    const { hash } = LibCrypt.prototype;
    LibCrypt.prototype.hash = function (password, like) {
      costs.push(like.match(/^\$2b\$05|\$6\$rounds=1000|\$6\$salt/)?.[0] ?? like);
      return hash.call(this, password, like);
    };
    try {
      for (const name of ["ann", "bob", "eve", "locked", "nobody"]) {
        costs.splice(0);
        strictEqual((await auth.checkPassword(name, "wrong")).ok, false);
        deepStrictEqual(costs.sort(), ["$2b$05", "$6$rounds=1000", "$6$salt"], name);
      }
      costs.splice(0);
      strictEqual((await auth.checkPassword("ann", "Ann's own")).ok, true);
      strictEqual(costs.length, 1);
    } finally {
      LibCrypt.prototype.hash = hash;
    }
  });
});

test("Shadow logs a hash that libcrypt does not know", () =>
  withShadow("ann:$nonsense$x:19000:0:99999:7:::\n", async (auth, lines) => {
    strictEqual((await auth.checkPassword("ann", "Ann's own")).ok, false);
    deepStrictEqual(lines, [
      "error: password hash is of a scheme that libcrypt does not know username=ann",
    ]);
  }));

test("Shadow refuses the right password of an expired account, and says so to who has it", () =>
  withShadow(`ann:${HASHES.sha512}:19000:0:99999:7::20000:\n`, async (auth) => {
    const expired = await auth.checkPassword("ann", "Ann's own");
    strictEqual(!expired.ok && expired.reason, "expired");
    strictEqual(!expired.ok && expired.detail, "the account is expired");
    const wrong = await auth.checkPassword("ann", "wrong");
    strictEqual(!wrong.ok && wrong.detail, "wrong password");
  }));

Deno.test("expiredReason() counts days as shadow(5) does", () => {
  const reasonOf = (fields: string, today: number) =>
    expiredReason(parseShadow(`ann:x:${fields}\n`)[0], today);
  strictEqual(reasonOf("", 20_000), undefined);
  strictEqual(reasonOf(":::::::", 20_000), undefined);
  strictEqual(reasonOf("19000:0:99999:7:::", 20_000), undefined);
  strictEqual(reasonOf("19000:0:1000:7:::", 20_000), undefined);
  strictEqual(reasonOf("19000:0:1000:7:::", 20_001), "the password is expired");
  strictEqual(reasonOf("19000:0:1000:7:30::", 20_001), "the password is expired");
  strictEqual(reasonOf("0:0:99999:7:::", 20_000), "the password has to be changed first");
  strictEqual(reasonOf("19000:0:99999:7::20001:", 20_000), undefined);
  strictEqual(reasonOf("19000:0:99999:7::20000:", 20_000), "the account is expired");
});

Deno.test("Shadow.open() fails where the file cannot be read", async () => {
  await rejects(
    Shadow.open({ path: "/nonexistent/shadow", log: memoryLog([]) }),
    /^Error: shadow: cannot read \/nonexistent\/shadow: /,
  );
});

const lacking = [...missing, ...["openssl"].filter((program) => !isInstalled(program))];

Deno.test({
  name: `imapd lets in whom a file like /etc/shadow knows${
    lacking.length > 0 ? ` (skipped: no ${lacking.join(", ")} here)` : ""
  }`,
  ignore: lacking.length > 0,
  async fn() {
    const path = await Deno.makeTempFile({ prefix: "imapd-shadow-" });
    const { stdout } = await run(["openssl", "passwd", "-6", "Ann's own"]);
    await Deno.writeTextFile(path, FILE(stdout.trim()));
    await using server = await startServer({ authReference: `["shadow", "${path}"]` });
    match(await loginReply(server, "ann", "Ann's own"), /^OK /);
    match(await loginReply(server, "ann", "wrong"), /^NO \[AUTHENTICATIONFAILED\]/);
    match(await loginReply(server, "locked", "Ann's own"), /^NO \[AUTHENTICATIONFAILED\]/);
    await Deno.remove(path);
    match(await loginReply(server, "ann", "Ann's own"), /^NO \[UNAVAILABLE\]/);
    await logged(server, /^error: shadow cannot be asked error="No such file/m);
  },
});
