import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { isInstalled, run } from "../clients/programs.ts";
import { startServer } from "../harness.ts";
import { client } from "./administration.ts";
import { imapd, MAIN } from "./program.ts";

Deno.test("imapd completion: needs no config, and a shell that it knows", async () => {
  match((await imapd(["completion", "bash"])).out, /complete -F _imapd imapd\n$/);
  const { code, err } = await imapd(["completion", "tcsh"]);
  strictEqual(code, 2);
  match(err, /Expected bash, zsh or fish, got tcsh/);
});

interface Shell {
  readonly name: "bash" | "zsh" | "fish";
  /** A script that prints the candidates for a command line, one a line. */
  readonly script: (path: string, line: string) => string;
}

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    script: (path, line) =>
      `source ${path}; COMP_LINE=${quoted(line)}; COMP_POINT=\${#COMP_LINE}; ` +
      `compopt() { :; }; _imapd; printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  {
    name: "zsh",
    // Completion runs only in a terminal: what it would offer is printed by a stand-in.
    script: (path, line) =>
      `compdef() { :; }; compadd() { shift; print -rl -- "$@"; }; _files() { print files; }; ` +
      `source ${path}; words=(\${(z)\${:-${quoted(line)}}}); ` +
      `[[ ${
        quoted(line)
      } == *' ' ]] && words+=(''); CURRENT=\${#words}; PREFIX=\${words[-1]}; _imapd`,
  },
  {
    name: "fish",
    script: (path, line) =>
      `source ${path}; complete -C ${quoted(line)} | string replace -r '\\t.*' ''`,
  },
];

function quoted(text: string): string {
  return `'${text}'`;
}

for (const { name, script } of SHELLS) {
  Deno.test({
    name: `imapd completion ${name}: completes commands, options and names in the real ${name}`,
    ignore: !isInstalled(name),
    async fn() {
      await using server = await startServer();
      await using writer = await client(server, server.freshUser());
      await writer.command("CREATE Work/2024");
      const bin = `${server.dir}/bin`;
      await Deno.mkdir(bin);
      await Deno.writeTextFile(
        `${bin}/imapd`,
        `#!/bin/sh\nexec '${Deno.execPath()}' run -A '${MAIN}' "$@"\n`,
        { mode: 0o755 },
      );
      const path = `${server.dir}/completion`;
      await Deno.writeTextFile(path, (await imapd(["completion", name])).out);
      const candidates = async (line: string) => {
        const flags = name === "zsh"
          ? ["-f", "-c"]
          : name === "fish"
          ? ["--no-config", "-c"]
          : ["--norc", "-c"];
        const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
        const { stdout, stderr } = await run([name, ...flags, script(path, line)], { env });
        strictEqual(stderr, "", line);
        return stdout.split("\n").filter((each) => each !== "");
      };
      /** zsh itself leaves out what does not begin as the word does. */
      const beginning = (words: string[], start: string) =>
        words.filter((word) => word.startsWith(start)).sort();
      const config = `--config ${server.dir}/config.toml`;
      deepStrictEqual(beginning(await candidates("imapd mess"), "mess"), ["message"]);
      deepStrictEqual(beginning(await candidates("imapd user "), ""), [
        "add",
        "disable",
        "enable",
        "list",
        "passwd",
        "remove",
      ]);
      ok((await candidates("imapd user add --no")).includes("--no-account"));
      deepStrictEqual(beginning(await candidates("imapd user add --hash b"), "b"), ["bcrypt"]);
      deepStrictEqual(beginning(await candidates("imapd completion "), ""), [
        "bash",
        "fish",
        "zsh",
      ]);
      deepStrictEqual(await candidates(`imapd mailbox list ${config} u`), ["u1"]);
      const mailboxes = await candidates(`imapd message list ${config} u1 W`);
      deepStrictEqual(beginning(mailboxes, "W"), ["Work/2024"]);
    },
  });
}
