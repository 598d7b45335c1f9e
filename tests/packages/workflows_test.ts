import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { parse } from "yaml";
import { compileArguments, targetNamed, TARGETS } from "../../scripts/compile.ts";
import { releaseNotes, versionOfTag } from "../../scripts/release_notes.ts";
import { VERSION } from "../../src/version.ts";

const ROOT = new URL("../../", import.meta.url);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly include: readonly { program: string }[] } };
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

async function text(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

async function workflow(name: string): Promise<Workflow> {
  return parse(await text(`.github/workflows/${name}`));
}

function commandsOf({ jobs }: Workflow): string {
  return Object.values(jobs).flatMap(({ steps }) => steps.map(({ run }) => run ?? "")).join("\n");
}

for (const name of ["ci.yml", "release.yml"]) {
  Deno.test(`${name}: jobs, actions and permissions are sound`, async () => {
    const { permissions, jobs } = await workflow(name);
    deepStrictEqual(permissions, { contents: "read" });
    for (const [id, { needs = [], permissions: own = {}, steps }] of Object.entries(jobs)) {
      for (const other of [needs].flat()) ok(Object.hasOwn(jobs, other), other);
      const writes = Object.values(own).includes("write");
      strictEqual(writes, id === "publish");
      for (const step of steps) {
        ok((step.run === undefined) !== (step.uses === undefined));
        if (step.uses !== undefined) match(step.uses, /^[\w-]+\/[\w-]+@v\d+/);
      }
    }
  });

  Deno.test(`${name}: the scripts that it calls are there`, async () => {
    const commands = commandsOf(await workflow(name));
    const scripts = commands.match(/(?<![\w/])(?:scripts\/[\w.]+|\.ci\/run)/g) ?? [];
    ok(scripts.length > 0);
    for (const script of scripts) ok((await Deno.stat(new URL(script, ROOT))).isFile, script);
    for (const line of commands.split("\n").filter((each) => each.trim().startsWith("deno run"))) {
      const [, script, options] = line.match(/deno run -A (scripts\/\S+)(.*)/) ?? [];
      const source = await text(script);
      for (const [, option] of options.matchAll(/--(\w+)/g)) {
        ok(source.includes(`${option}: {`), `${script} knows --${option}`);
      }
    }
  });
}

Deno.test("release.yml: gate first, then every target is built, tried and published", async () => {
  const release = await workflow("release.yml");
  deepStrictEqual(release.on, { push: { tags: ["v*"] } });
  const { gate, build, publish, try: attempt } = release.jobs;
  ok(gate.steps.some(({ run }) => run === ".ci/run"));
  deepStrictEqual([build.needs, attempt.needs, publish.needs], ["gate", "build", "try"]);
  const commands = commandsOf(release);
  const compiled = [...commands.matchAll(/--target (\S+) --output release\/(\S+)/g)];
  deepStrictEqual(compiled.map(([, target]) => targetNamed(target)), [...TARGETS]);
  deepStrictEqual(
    attempt.strategy?.matrix.include.map(({ program }) => program),
    compiled.map(([, , output]) => output),
  );
  const script = await text("scripts/install.sh");
  for (const [, , output] of compiled) {
    const [, system, machine] = output.match(/^imapd-(\w+?)-(\w+)$/) ?? [];
    ok(script.includes(`system=${system}`) && script.includes(`machine=${machine}`), output);
  }
  strictEqual(script.split("@RELEASES@").length, 2);
  match(commands, /@RELEASES@/);
  match(await text(".ci/run"), /^readonly DENO_VERSION=2\.9\.6$/m);
  const versions = build.steps.flatMap((step) => step.with?.["deno-version"] ?? []);
  deepStrictEqual(versions, ["2.9.6"]);
  ok(publish.steps.some(({ uses }) => uses?.startsWith("actions/attest-build-provenance@")));
});

Deno.test("compileArguments() names the target, targetNamed() refuses others", () => {
  ok(!compileArguments("x").includes("--target"));
  const args = compileArguments("x", "aarch64-apple-darwin");
  strictEqual(args[args.indexOf("--target") + 1], "aarch64-apple-darwin");
  throws(() => targetNamed("x86_64-pc-windows-msvc"), /Expected one of x86_64-unknown-linux-gnu, /);
});

Deno.test("releaseNotes() cuts the section of a version out, and wants it to be dated", () => {
  const changelog = "# Changelog\n\n## 1.10.0, 2026-02-01\n\n- b\n\n## 1.1.0, 2026-01-01\n\n- a\n" +
    "### Fixed\n\n- c\n\n## 1.0.0, not yet released\n\n- d\n";
  strictEqual(releaseNotes(changelog, "1.1.0"), "- a\n### Fixed\n\n- c");
  throws(() => releaseNotes(changelog, "1.1"), /Expected a section "## 1\.1"/);
  throws(() => releaseNotes(changelog, "1.0.0"), /Expected the day of the release/);
  strictEqual(versionOfTag(`v${VERSION}`), VERSION);
  throws(() => versionOfTag("v9.9.9"), /got v9\.9\.9/);
});
