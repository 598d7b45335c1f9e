import { deepEqual, equal, rejects } from "node:assert/strict";
import { SearchService, SearchUnavailable } from "../../src/store/maildir/search_service.ts";
import { until } from "../until.ts";

const NONE = { id: 0, next: 1, removals: 0 };

async function withFolder(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "imapd-search-" });
  try {
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("SearchService ends its worker once no file is open, and starts it again", async () => {
  await withFolder(async (root) => {
    const service = new SearchService({ idle: 1 });
    const file = await service.open(root, NONE);
    equal(service.running, true);
    await file.close();
    await until(() => !service.running, "the end of the worker");
    await rejects(file.call("commit"), SearchUnavailable);
    const again = await service.open(root, { ...NONE, id: file.id });
    equal(again.id, file.id);
    await again.close();
    service.close();
  });
});

Deno.test("SearchService.wake: starts a worker that ends if nobody asks it", async () => {
  const service = new SearchService({ idle: 1 });
  service.wake();
  equal(service.running, true);
  await until(() => !service.running, "the end of the worker");
  service.close();
});

Deno.test("SearchService.examine: goes on while others close, open and change the file", async () => {
  await withFolder(async (root) => {
    const service = new SearchService();
    try {
      const file = await service.open(root, NONE);
      const known = { ...NONE, id: file.id };
      const examined = await service.examine(root, known);
      equal(examined.fault, undefined);
      await file.close();
      deepEqual(await examined.lacking([]), []);
      const again = await service.open(root, known);
      deepEqual(await examined.lacking([]), []);
      await again.close();
      deepEqual(await examined.lacking([]), []);
      await service.open(root, NONE);
      await rejects(examined.lacking([]), /made anew meanwhile/);
      await examined.close();
    } finally {
      service.close();
    }
  });
});

Deno.test("SearchService: a call fails alone, and all do once it is closed", async () => {
  await withFolder(async (root) => {
    const service = new SearchService();
    await rejects(service.open(`${root}/none`, NONE), SearchUnavailable);
    const file = await service.open(root, NONE);
    await rejects(file.call("find", [[['"']]]), SearchUnavailable);
    deepEqual([...await file.call("find", [[["abc"]]])], []);
    const late = file.call("find", [[["abc"]]]);
    service.close();
    await rejects(late, SearchUnavailable);
    await rejects(service.open(root, NONE), SearchUnavailable);
  });
});

Deno.test("SearchService: a file that is damaged while it is open is made anew next time", async () => {
  await withFolder(async (root) => {
    const service = new SearchService();
    const file = await service.open(root, NONE);
    await file.close();
    const known = { ...NONE, id: file.id };
    const path = `${root}/imapd-search.sqlite`;
    const octets = await Deno.readFile(path);
    await Deno.writeFile(path, octets.fill(0xee, 4096));
    const broken = await service.open(root, known).catch(() => undefined);
    await broken?.call("find", [[["abc"]]]).catch(() => {});
    await broken?.close();
    const again = await service.open(root, known);
    deepEqual([...await again.call("find", [[["abc"]]])], []);
    await again.close();
    service.close();
  });
});

Deno.test("SearchService.open: what was opened before commits nothing any more", async () => {
  await withFolder(async (root) => {
    const service = new SearchService();
    const first = await service.open(root, NONE);
    const second = await service.open(root, { ...NONE, id: first.id });
    equal(second.id, first.id);
    await rejects(first.call("commit"), SearchUnavailable);
    await second.call("commit");
    await first.close();
    await second.call("commit");
    await second.close();
    service.close();
  });
});
