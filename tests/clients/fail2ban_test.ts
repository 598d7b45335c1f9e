// fail2ban itself reads what the server logs.

import assert from "node:assert/strict";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { clientTest, run } from "./programs.ts";

/** As maddy ships it. */
const MADDY = String
  .raw`authentication failed\t\{"reason":".*","src_ip":"<HOST>:\d+","username":".*"\}$`;

/** Names by which a client could try to have somebody else banned. */
const NAMES = [
  "u1",
  String.raw`x","src_ip":"203.0.113.9:1","username":"y`,
  "x src_ip=203.0.113.9:1 username=y",
  'x" src_ip=203.0.113.9:1 username=u1',
  String.raw`x\" src_ip=203.0.113.9:1 username=u1`,
  'x\r\nauthentication failed\t{"reason":"","src_ip":"203.0.113.9:1","username":""}',
];

/** The filter that the documentation has for a format. */
async function documented(format: string): Promise<string> {
  if (format === "text") return MADDY;
  const text = await Deno.readTextFile(new URL("../../docs/authentication.md", import.meta.url));
  const filters = [...text.matchAll(/^ {4}failregex = (.*)$/gm)].map(([, filter]) => filter);
  assert.equal(filters[0], MADDY);
  return filters[format === "logfmt" ? 1 : 2];
}

for (const format of ["text", "logfmt", "json"]) {
  clientTest(
    ["fail2ban-regex"],
    `fail2ban: finds the address of each failed login in a log in ${format}, and no other`,
    async () => {
      await using server = await startServer({
        top: `log_format = "${format}"`,
        imap: "limits = { bad_before_login = 100 }",
      });
      await using client = await RawConnection.plain(server.port);
      await client.line();
      for (const name of NAMES) {
        await client.command(`AUTHENTICATE PLAIN ${btoa(`\0${name}\0never-logged`)}`);
      }
      await server.stop();
      assert.ok(!server.log().includes("never-logged"));
      const log = `${server.dir}/log`;
      // fail2ban wants a time on each line.
      const dated = server.log().replace(/^(?=.)/gm, `${new Date().toISOString()} `);
      await Deno.writeTextFile(log, dated);
      const filter = await documented(format);
      const found = await run(["fail2ban-regex", "--out", "ip", log, filter]);
      const expected = NAMES.map(() => "127.0.0.1");
      assert.deepEqual(found.stdout.trim().split("\n"), expected, found.stderr + dated);
    },
  );
}
