import * as assert from "node:assert/strict";
import { accountPlaces } from "../../src/app/account_places.ts";
import { accountPath } from "../../src/auth/account_name.ts";

/** Folders to make; the template; the names found. */
const CASES: readonly (readonly [readonly string[], string, readonly string[]])[] = [
  [["mail/bob", "mail/ann@x.example", "mail/.hidden"], "mail/{account}", ["ann@x.example", "bob"]],
  [["v/x/ann/Maildir", "v/x/bob", "v/y/ann/Maildir", "v/z"], "v/{domain}/{local}/Maildir", [
    "ann@x",
    "ann@y",
  ]],
  [["h/ann/Maildir", "h/bob/mail", "h/.skel/Maildir"], "h/{local}/Maildir", ["ann"]],
  // The last @ divides.
  [["m/a@b", "m/ann"], "m/{local}", ["ann"]],
  [["m/a@b@c"], "m/{account}", ["a@b@c"]],
  [["m/x-ann.d", "m/x-.d", "m/ann.d", "m/x-an$n+.d"], "m/x-{local}.d", ["an$n+", "ann"]],
  [["m/x/ann@x", "m/x/ann@y"], "m/{domain}/{local}@{domain}", ["ann@x"]],
  [["m/x/ann@x", "m/y/ann@x", "m/y/bob"], "m/{domain}/{account}", ["ann@x"]],
  [["m/a\nb", "m/ok", "m/Zoë"], "m/{account}", ["Zoë", "ok"]],
  [["other"], "m/{account}", []],
];

for (const [folders, template, expected] of CASES) {
  Deno.test(`accountPlaces: names for ${template} where ${JSON.stringify(folders)} are`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "imapd-places-" });
    try {
      for (const folder of folders) await Deno.mkdir(`${dir}/${folder}`, { recursive: true });
      await Deno.writeTextFile(`${dir}/file`, "");
      const found: string[] = [];
      for await (const { name, path } of accountPlaces(`${dir}/${template}`)) {
        if (name === undefined) continue;
        found.push(name);
        assert.equal(accountPath(`${dir}/${template}`, name), path);
      }
      assert.deepEqual(found.sort(), expected);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

Deno.test("accountPlaces: follows links to where mail was moved, and steps over files", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-places-" });
  try {
    await Deno.mkdir(`${dir}/disk/ann/Maildir`, { recursive: true });
    await Deno.mkdir(`${dir}/home`);
    await Deno.symlink(`${dir}/disk/ann`, `${dir}/home/ann`);
    await Deno.symlink(`${dir}/nowhere`, `${dir}/home/bob`);
    await Deno.symlink(`${dir}/home/eve`, `${dir}/home/eve`);
    await Deno.writeTextFile(`${dir}/home/joe`, "");
    const places = await Array.fromAsync(accountPlaces(`${dir}/home/{local}/Maildir`));
    assert.deepEqual(places, [{ path: `${dir}/home/ann/Maildir`, name: "ann" }]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
