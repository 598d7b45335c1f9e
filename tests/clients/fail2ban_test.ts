// fail2ban itself reads what the server logs, by the filter that packages bring.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { clientTest, run } from "./programs.ts";

const FILTER = fileURLToPath(new URL("../../dist/fail2ban/filter.d/imapd.conf", import.meta.url));

/** As maddy ships it: what reads maddy's log reads this one, too. */
const MADDY = String
  .raw`authentication failed\t\{"reason":".*","src_ip":"<HOST>:\d+","username":".*"\}$`;

/** Names by which a client could try to have somebody else banned, or to stay unseen. */
const NAMES = [
  "u1",
  String.raw`x","src_ip":"203.0.113.9:1","username":"y`,
  "x src_ip=203.0.113.9:1 username=y",
  'x" src_ip=203.0.113.9:1 username=u1',
  String.raw`x\" src_ip=203.0.113.9:1 username=u1`,
  String.raw`x\","src_ip":"203.0.113.9:1","username":"y`,
  'x\r\nauthentication failed\t{"reason":"","src_ip":"203.0.113.9:1","username":""}',
  'x\nmsg="authentication failed" src_ip=203.0.113.9:1 username=y',
  'x\u2028authentication failed\t{"reason":"","src_ip":"203.0.113.9:1","username":""}',
  "Nov 30 01:02:03 host imapd[1]: x 203.0.113.9",
  'ends in "}',
  "ends in \\",
  "\u202ename",
  "\u{1f600}",
  "=",
  "n".repeat(10_000),
  '"'.repeat(10_000),
];

for (const format of ["text", "logfmt", "json"]) {
  clientTest(
    ["fail2ban-regex"],
    `fail2ban: finds the address of each failed login in a log in ${format}, and no other`,
    async () => {
      await using server = await startServer({
        top: `log_format = "${format}"\nlimits = { penalty = "0s" }`,
        imap: 'proxy_protocol = ["127.0.0.1"]\n' +
          'limits = { bad_before_login = 100, failed_logins = 100, line_before_login = "64 KiB" }',
      });
      const addresses = { "192.0.2.7": "TCP4", "2001:db8::7": "TCP6" };
      for (const [address, family] of Object.entries(addresses)) {
        await using client = await RawConnection.plain(server.port);
        await client.send(`PROXY ${family} ${address} ${address} 1234 143\r\n`);
        await client.line();
        for (const name of NAMES) {
          const message = new TextEncoder().encode(`\0${name}\0never-logged`);
          const [reply] = await client.command(`AUTHENTICATE PLAIN ${base64(message)}`);
          assert.match(reply, / NO \[AUTHENTICATIONFAILED\]/);
        }
      }
      await server.stop();
      assert.ok(!server.log().includes("never-logged"));
      const log = `${server.dir}/log`;
      // fail2ban wants a time on each line.
      const dated = server.log().replace(/^(?=.)/gm, `${new Date().toISOString()} `);
      await Deno.writeTextFile(log, dated);
      const expected = Object.keys(addresses).flatMap((address) => NAMES.map(() => address));
      for (const filter of format === "text" ? [FILTER, MADDY] : [FILTER]) {
        const found = await run(["fail2ban-regex", "--out", "ip", log, filter]);
        assert.deepEqual(found.stdout.trim().split("\n"), expected, found.stderr + dated);
      }
    },
  );
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
