import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import {
  type KnownSearchFile,
  SEARCH_FILE,
  SearchFile,
} from "../../src/store/maildir/search_file.ts";
import { TokenSums } from "../../src/store/maildir/token_sums.ts";

/** A folder in which a file lies with the documents 1 to 3: "abc", "abd" and "xyz". */
class Fixture implements Disposable {
  readonly root = Deno.makeTempDirSync({ prefix: "imapd-search-" });
  readonly path = `${this.root}/${SEARCH_FILE}`;
  readonly known: KnownSearchFile;

  constructor() {
    const file = SearchFile.open(this.root, { id: 0, next: 1, removals: 0 });
    for (const token of ["abc", "abd", "xyz"]) file.add(token);
    file.commit();
    file.close();
    this.known = { id: file.id, next: 4, removals: 0 };
  }

  open(known = this.known): SearchFile {
    return SearchFile.open(this.root, known);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

function found(file: SearchFile, ...tokens: readonly string[]): number[] {
  return [...file.find([[tokens]])];
}

Deno.test("SearchFile.find gives documents with all tokens, or with what begins so", () => {
  using fixture = new Fixture();
  const file = fixture.open();
  deepEqual(found(file, "abc"), [1]);
  deepEqual(found(file, "ab"), [1, 2]);
  deepEqual(found(file, "abc", "abd"), []);
  deepEqual([...file.find([[["abc"], ["xyz"]]])], [1, 3]);
  deepEqual([...file.find([[["abc"], ["xyz"]], [["xyz"]]])], [3]);
  file.close();
});

Deno.test("SearchFile loses what was not committed, and gives no number twice", () => {
  using fixture = new Fixture();
  const first = fixture.open();
  equal(first.add("new"), 4);
  deepEqual(found(first, "new"), [4]);
  first.close();
  const again = fixture.open();
  deepEqual(found(again, "new"), []);
  equal(again.documents, 3);
  again.close();
});

Deno.test("SearchFile.retain removes documents without a mark, but not later ones", () => {
  using fixture = new Fixture();
  const file = fixture.open();
  file.retain(Uint8Array.of(0, 0, 1), 1);
  deepEqual([file.documents, found(file, "ab"), found(file, "xyz")], [2, [2], [3]]);
  equal(file.add("abc"), 4);
  file.commit();
  file.close();
  const again = fixture.open({ ...fixture.known, removals: 1 });
  deepEqual(found(again, "ab"), [2, 4]);
  again.close();
});

Deno.test("SearchFile.open takes no file that may lack what the index believes", () => {
  for (
    const change of [
      { id: 77 },
      { next: 5 },
      { removals: 2 },
      { removals: -1 },
    ]
  ) {
    using fixture = new Fixture();
    const known = { ...fixture.known, ...change };
    const file = fixture.open(known);
    notEqual(file.id, known.id);
    equal(file.documents, 0);
    equal(file.add("abc"), known.next);
    file.close();
  }
});

Deno.test("SearchFile.open goes on where a removal was noted but not made", () => {
  using fixture = new Fixture();
  const file = fixture.open({ ...fixture.known, removals: 1 });
  equal(file.documents, 3);
  file.close();
});

Deno.test("SearchFile.open makes a lost, empty, damaged or older file anew", () => {
  const damages: ((path: string) => void)[] = [
    (path) => Deno.removeSync(path),
    (path) => Deno.truncateSync(path),
    (path) =>
      Deno.writeTextFileSync(path, "This is no database, though it is long enough.".repeat(99)),
    (path) => Deno.truncateSync(path, 5000),
    (path) => {
      const octets = Deno.readFileSync(path);
      octets.fill(0xff, 100, 8192);
      Deno.writeFileSync(path, octets);
    },
  ];
  for (const damage of damages) {
    using fixture = new Fixture();
    damage(fixture.path);
    const file = fixture.open();
    notEqual(file.id, fixture.known.id);
    file.add("new");
    deepEqual(found(file, "new"), [4]);
    file.close();
  }
});

Deno.test("SearchFile.open follows no symbolic link, and keeps others out", () => {
  using fixture = new Fixture();
  equal((Deno.statSync(fixture.path).mode ?? 0) & 0o777, 0o600);
  Deno.renameSync(fixture.path, `${fixture.path}.there`);
  Deno.symlinkSync(`${fixture.path}.there`, fixture.path);
  throws(() => fixture.open(), /symbolic link, which is not followed/);
  ok(Deno.lstatSync(fixture.path).isSymlink);
});

// Deno takes some names of databases only where a program may do everything.
Deno.test("SearchFile.openCopy leaves the file as it is, and no other one behind", {
  permissions: { read: true, write: true, sys: ["uid", "gid"] },
}, async () => {
  using fixture = new Fixture();
  const before = Deno.readFileSync(fixture.path);
  const copy = await SearchFile.openCopy(fixture.root);
  deepEqual(found(copy, "ab"), [1, 2]);
  copy.close();
  deepEqual(Deno.readFileSync(fixture.path), before);
  deepEqual([...Deno.readDirSync(fixture.root)].map(({ name }) => name), [SEARCH_FILE]);
});

Deno.test("SearchFile.openCopy: has what is in the log only", async () => {
  using fixture = new Fixture();
  const file = fixture.open();
  file.add("abz");
  file.commit();
  const copy = await SearchFile.openCopy(fixture.root);
  deepEqual(found(copy, "ab"), [1, 2, 4]);
  copy.close();
  file.close();
});

for (const isDue of [false, true]) {
  Deno.test(`SearchFile.sum adds up the tokens of each document, ${isDue ? "one at a time" : "all at once"}`, () => {
    using fixture = new Fixture();
    const file = fixture.open();
    const many = Array.from({ length: 200 }, (_, at) => `t${at} `).join("");
    equal(file.add(many), 4);
    file.commit();
    const sums = new TokenSums();
    let steps = 1;
    while (!file.sum(sums, () => isDue)) steps++;
    equal(steps, isDue ? 204 : 1);
    ok(sums.agree(1, "abc "));
    ok(sums.agree(4, many));
    for (
      const [document, tokens] of [
        [1, "abd "],
        [1, "abc abd "],
        [1, ""],
        [2, "abc "],
        [4, many.slice("t0 ".length)],
        [5, "abc "],
      ] as const
    ) ok(!sums.agree(document, tokens), `${document}: ${tokens}`);
    file.close();
  });
}
