import assert from "node:assert/strict";
import { dirname } from "node:path";
import { KNOWN_PLACES_FILE, KnownPlacesFile } from "../../src/app/known_places_file.ts";
import { memoryLog } from "../../src/log.ts";
import { until } from "../until.ts";

const SECRET = new Uint8Array(32);
/** Milliseconds between writings: none comes by itself while a test runs. */
const NEVER = 2 ** 31 - 1;

interface Folder extends AsyncDisposable {
  readonly path: string;
  readonly lines: string[];
  /** As a server does at its start. */
  open(every?: number): Promise<KnownPlacesFile>;
}

async function folder(): Promise<Folder> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-known-" });
  const lines: string[] = [];
  return {
    path: `${dir}/${KNOWN_PLACES_FILE}`,
    lines,
    open: (every = NEVER) => KnownPlacesFile.open(dir, SECRET, memoryLog(lines), every),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

function isKnown(file: KnownPlacesFile, name: string): boolean {
  return file.places.of(name, "192.0.2.1").known;
}

function renew(file: KnownPlacesFile, name: string): void {
  file.places.of(name, "192.0.2.1").renew();
}

Deno.test("KnownPlacesFile.close: writes what the next one reads, for its owner only", async () => {
  await using dir = await folder();
  const first = await dir.open();
  renew(first, "ann");
  await first.close();
  const { mode } = await Deno.stat(dir.path);
  assert.equal((mode ?? 0) & 0o777, 0o600);
  const second = await dir.open();
  assert.deepEqual([isKnown(second, "ann"), isKnown(second, "bob")], [true, false]);
  await Deno.remove(dir.path);
  await second.close();
  await assert.rejects(Deno.stat(dir.path), Deno.errors.NotFound, "nothing was new");
  assert.equal(dir.lines.length, 1);
  assert.match(dir.lines[0], /nobody is known anywhere yet/);
});

Deno.test("KnownPlacesFile: writes now and then what is new", async () => {
  await using dir = await folder();
  const file = await dir.open(1);
  for (const name of ["ann", "bob"]) {
    renew(file, name);
    await until(async () => {
      const killed = await dir.open();
      await killed.close();
      return isKnown(killed, name);
    }, `${name} in the file`);
  }
  await file.close();
});

Deno.test("KnownPlacesFile.open: steps over what is damaged, and tells of it", async () => {
  await using dir = await folder();
  const first = await dir.open();
  renew(first, "ann");
  renew(first, "bob");
  await first.close();
  const [ann, bob] = (await Deno.readTextFile(dir.path)).split("\n");
  const octets = new TextEncoder().encode(`${ann.slice(0, 30)}
${bob}
`);
  await Deno.writeFile(dir.path, new Uint8Array([...octets, ...new Uint8Array(100).fill(0xff)]));
  const second = await dir.open();
  assert.deepEqual([isKnown(second, "ann"), isKnown(second, "bob")], [false, true]);
  assert.match(dir.lines[1], /who is known where is damaged in part.*lines=2/);
  renew(second, "ann");
  await second.close();
  const third = await dir.open();
  assert.deepEqual([isKnown(third, "ann"), isKnown(third, "bob")], [true, true]);
  assert.equal(dir.lines.length, 2);
  await third.close();
});

Deno.test("KnownPlacesFile: one that can be neither read nor written is told, and no fault", async () => {
  await using dir = await folder();
  await Deno.mkdir(dir.path);
  const file = await dir.open();
  assert.match(dir.lines[0], /who is known where cannot be read/);
  renew(file, "ann");
  await file.close();
  assert.match(dir.lines[1], /who is known where cannot be kept/);
  assert.equal(isKnown(file, "ann"), true);
  await Deno.remove(dir.path);
  await file.close();
  const next = await dir.open();
  assert.equal(isKnown(next, "ann"), true, "it is tried again");
  await next.close();
});

Deno.test("KnownPlacesFile: why it cannot be written is told once, until that is another reason", async () => {
  await using dir = await folder();
  const stateDir = dirname(dir.path);
  const file = await dir.open();
  const warnings = async () => {
    for (let tries = 0; tries < 3; tries++) await file.close();
    return dir.lines.filter((line) => /cannot be kept/.test(line)).length;
  };
  renew(file, "ann");
  await Deno.mkdir(dir.path);
  assert.equal(await warnings(), 1);
  await Deno.remove(stateDir, { recursive: true });
  assert.equal(await warnings(), 2);
  await Deno.mkdir(stateDir);
  assert.equal(await warnings(), 2, "it is written");
  await Deno.remove(stateDir, { recursive: true });
  renew(file, "bob");
  assert.equal(await warnings(), 3, "it could be written meanwhile");
  await Deno.mkdir(stateDir);
});
