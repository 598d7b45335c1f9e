import assert from "node:assert/strict";
import type { Log } from "../../src/log.ts";
import {
  type FolderEvent,
  FolderWatcher,
  type FolderWatcherOptions,
} from "../../src/store/maildir/folder_watcher.ts";
import { type DirectoryEvent, Inotify } from "../../src/store/maildir/inotify.ts";

/** How long to wait for what must come; nothing here depends on how fast it does. */
const PATIENCE = 20_000;

/** Some folders, a watcher, and what it logged. */
function makeFolders(count: number, options: FolderWatcherOptions = {}) {
  const path = Deno.makeTempDirSync({ prefix: "imapd-watch-" });
  const folders = Array.from({ length: count }, (_, i) => `${path}/f${i}`);
  for (const folder of folders) makeFolder(folder);
  const logged: string[] = [];
  const watcher = new FolderWatcher(recordingLog(logged), options);
  return {
    path,
    folders,
    watcher,
    logged,
    async [Symbol.asyncDispose]() {
      await watcher.close();
      Deno.removeSync(path, { recursive: true });
    },
  };
}

function makeFolder(folder: string): void {
  for (const name of ["tmp", "new", "cur"]) {
    Deno.mkdirSync(`${folder}/${name}`, { recursive: true });
  }
}

/** Dates `new/` and `cur/` back, so that nothing in them counts as just changed. */
function makeOld(folders: readonly string[]): void {
  for (const folder of folders) {
    for (const name of ["new", "cur"]) Deno.utimeSync(`${folder}/${name}`, 1e9, 1e9);
  }
}

function recordingLog(logged: string[]): Log {
  const record = (event: string) => void logged.push(event);
  const log: Log = {
    debug: record,
    info: record,
    warn: record,
    error: record,
    bug: (error) => record(String(error)),
    with: () => log,
    debugged: () => log,
    debugging: false,
  };
  return log;
}

/** Collects events and lets a test wait for one. */
function makeListener() {
  const events: FolderEvent[] = [];
  let wake = () => {};
  return {
    events,
    listen(event: FolderEvent) {
      events.push(event);
      wake();
    },
    async until(wanted: (event: FolderEvent) => boolean): Promise<void> {
      const patience = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => patience.reject(new Error("Expected an event: got none")),
        PATIENCE,
      );
      try {
        while (!events.some(wanted)) {
          await Promise.race([new Promise<void>((resolve) => wake = resolve), patience.promise]);
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const named = (file: string) => (event: FolderEvent) => event.file === file;
const unnamed = named("");

/** Delivers as another program does, in another process. */
async function deliver(folder: string, name: string): Promise<void> {
  Deno.writeTextFileSync(`${folder}/tmp/${name}`, "Subject: x\n\n");
  const args = [`${folder}/tmp/${name}`, `${folder}/new/${name}`];
  const { success } = await new Deno.Command("mv", { args }).output();
  assert.ok(success);
}

Deno.test("FolderWatcher reports what another program delivers, renames and removes", async () => {
  await using place = makeFolders(1);
  const [folder] = place.folders;
  const listener = makeListener();
  place.watcher.watch(folder, listener.listen);
  await deliver(folder, "1.a.h");
  await listener.until(named("1.a.h"));
  assert.deepEqual(listener.events, [{ directory: "new", file: "1.a.h" }]);
  Deno.renameSync(`${folder}/new/1.a.h`, `${folder}/cur/1.a.h:2,S`);
  await listener.until(named("1.a.h:2,S"));
  Deno.renameSync(`${folder}/cur/1.a.h:2,S`, `${folder}/cur/1.a.h:2,RS`);
  await listener.until(named("1.a.h:2,RS"));
  listener.events.length = 0;
  Deno.removeSync(`${folder}/cur/1.a.h:2,RS`);
  await listener.until(named("1.a.h:2,RS"));
  assert.ok(listener.events.every(({ directory }) => directory === "cur"));
});

Deno.test("FolderWatcher watches 500 folders and tells them apart", async () => {
  await using place = makeFolders(500);
  const listeners = place.folders.map((folder) => {
    const listener = makeListener();
    place.watcher.watch(folder, listener.listen);
    return listener;
  });
  for (const [i, folder] of place.folders.entries()) {
    Deno.writeTextFileSync(`${folder}/tmp/m${i}`, "x");
    Deno.renameSync(`${folder}/tmp/m${i}`, `${folder}/new/m${i}`);
  }
  for (const [i, listener] of listeners.entries()) {
    await listener.until(named(`m${i}`));
    // A process that was started meanwhile may close its copy of the file late: an event more.
    assert.deepEqual(new Set(listener.events.map(({ file }) => file)), new Set([`m${i}`]));
  }
  assert.deepEqual(place.logged, []);
});

Deno.test("FolderWatcher reports each of many deliveries made at once", async () => {
  await using place = makeFolders(1);
  const [folder] = place.folders;
  const listener = makeListener();
  place.watcher.watch(folder, listener.listen);
  for (let i = 0; i < 3000; i++) Deno.writeTextFileSync(`${folder}/tmp/m${i}`, "");
  for (let i = 0; i < 3000; i++) Deno.renameSync(`${folder}/tmp/m${i}`, `${folder}/new/m${i}`);
  await listener.until(named("m2999"));
  assert.equal(new Set(listener.events.map(({ file }) => file)).size, 3000);
});

Deno.test("FolderWatcher.watch serves several listeners until each has ended", async () => {
  await using place = makeFolders(1);
  const [folder] = place.folders;
  const [a, b] = [makeListener(), makeListener()];
  const endA = place.watcher.watch(folder, a.listen);
  place.watcher.watch(folder, a.listen);
  const endB = place.watcher.watch(folder, b.listen);
  await deliver(folder, "1");
  await b.until(named("1"));
  assert.equal(a.events.length, 2);
  endA();
  endA();
  await deliver(folder, "2");
  await b.until(named("2"));
  assert.equal(a.events.length, 3);
  endB();
  await deliver(folder, "3");
  await a.until(named("3"));
  assert.equal(b.events.length, 2);
});

Deno.test("FolderWatcher.watch can begin again after its end", async () => {
  await using place = makeFolders(2);
  const [folder, other] = place.folders;
  const [before, after, marker] = [makeListener(), makeListener(), makeListener()];
  place.watcher.watch(folder, before.listen)();
  place.watcher.watch(other, marker.listen);
  await deliver(folder, "unseen");
  await deliver(other, "marker");
  await marker.until(named("marker"));
  place.watcher.watch(folder, after.listen);
  await deliver(folder, "seen");
  await after.until(named("seen"));
  assert.deepEqual(before.events, []);
  assert.deepEqual(after.events, [{ directory: "new", file: "seen" }]);
});

Deno.test("FolderWatcher reports a folder under each of its paths", async () => {
  await using place = makeFolders(1);
  const [folder] = place.folders;
  Deno.symlinkSync(folder, `${place.path}/link`);
  const [direct, linked] = [makeListener(), makeListener()];
  const end = place.watcher.watch(folder, direct.listen);
  place.watcher.watch(`${place.path}/link`, linked.listen);
  await deliver(folder, "1");
  await direct.until(named("1"));
  await linked.until(named("1"));
  end();
  await deliver(folder, "2");
  await linked.until(named("2"));
});

Deno.test("FolderWatcher outlives the removal of a folder, and reports its return", async () => {
  await using place = makeFolders(2, { pollInterval: 10 });
  const [removed, other] = place.folders;
  const [listener, others] = [makeListener(), makeListener()];
  place.watcher.watch(removed, listener.listen);
  place.watcher.watch(other, others.listen);
  Deno.removeSync(removed, { recursive: true });
  await listener.until(unnamed);
  await deliver(other, "1");
  await others.until(named("1"));
  listener.events.length = 0;
  makeFolder(removed);
  await listener.until((event) => event.directory === "new" && event.file === "");
  await deliver(removed, "2");
  await listener.until(named("2"));
  assert.deepEqual(place.logged, []);
});

Deno.test("FolderWatcher reports a folder that was not there when it was watched", async () => {
  await using place = makeFolders(0, { pollInterval: 10 });
  const listener = makeListener();
  place.watcher.watch(`${place.path}/later`, listener.listen);
  makeFolder(`${place.path}/later`);
  await listener.until(unnamed);
});

Deno.test("FolderWatcher looks at modification times where nothing else is to be had", async () => {
  await using place = makeFolders(300, { pollInterval: 10, openInotify: () => undefined });
  makeOld(place.folders);
  const listeners = place.folders.map((folder) => {
    const listener = makeListener();
    place.watcher.watch(folder, listener.listen);
    return listener;
  });
  await deliver(place.folders[299], "1");
  await listeners[299].until(unnamed);
  assert.ok(listeners[299].events.every(({ directory }) => directory === "new"));
  assert.ok(listeners.slice(0, 299).every(({ events }) => events.length === 0));
  assert.deepEqual(place.logged, ["folders are polled, as the system does not watch them"]);
});

Deno.test("FolderWatcher looks at modification times once the system has given up", async () => {
  let send: (event: DirectoryEvent) => void = () => {};
  let inotify: Inotify | undefined;
  await using place = makeFolders(1, {
    pollInterval: 10,
    openInotify(onEvent) {
      send = onEvent;
      inotify = Inotify.open(onEvent);
      return inotify;
    },
  });
  makeOld(place.folders);
  const listener = makeListener();
  place.watcher.watch(place.folders[0], listener.listen);
  await inotify?.close();
  send({ kind: "ended" });
  assert.deepEqual(listener.events.splice(0), [
    { directory: "new", file: "" },
    { directory: "cur", file: "" },
    { directory: "cur", file: "" },
  ]);
  await deliver(place.folders[0], "1");
  await listener.until(unnamed);
  assert.ok(listener.events.every(({ directory }) => directory === "new"));
});

Deno.test("FolderWatcher asks for a look at everything when events were lost", async () => {
  let send: (event: DirectoryEvent) => void = () => {};
  await using place = makeFolders(2, {
    openInotify(onEvent) {
      send = onEvent;
      return Inotify.open(onEvent);
    },
  });
  const listener = makeListener();
  for (const folder of place.folders) place.watcher.watch(folder, listener.listen);
  send({ kind: "overflow" });
  assert.equal(listener.events.filter(unnamed).length, 6);
});

Deno.test("FolderWatcher keeps a failing listener from harming others", async () => {
  await using place = makeFolders(1);
  const [folder] = place.folders;
  const listener = makeListener();
  place.watcher.watch(folder, () => {
    throw new Error("bug");
  });
  place.watcher.watch(folder, listener.listen);
  await deliver(folder, "1");
  await deliver(folder, "2");
  await listener.until(named("2"));
  assert.deepEqual(place.logged, ["folder listener failed", "folder listener failed"]);
});

Deno.test("FolderWatcher.close ends all events", async () => {
  await using place = makeFolders(1);
  const listener = makeListener();
  const end = place.watcher.watch(place.folders[0], listener.listen);
  await place.watcher.close();
  await place.watcher.close();
  end();
  await deliver(place.folders[0], "1");
  assert.deepEqual(listener.events, []);
  assert.throws(() => place.watcher.watch(place.folders[0], listener.listen), /closed/);
});

Deno.test("Inotify.add refuses what is no directory", async () => {
  const inotify = Inotify.open(() => {});
  assert.ok(inotify !== undefined);
  assert.equal(inotify.add("/no/such"), undefined);
  assert.equal(inotify.add("/dev/null"), undefined);
  inotify.remove(12345);
  await inotify.close();
  assert.equal(inotify.add("/tmp"), undefined);
});
