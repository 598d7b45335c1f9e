import { deepStrictEqual } from "node:assert/strict";
import { capabilityFaults } from "../../src/app/capabilities.ts";
import { parseConfig } from "../../src/config/load.ts";

const CONFIG = `tls = "off"
[[imap]]
listen = ["tcp://127.0.0.1:143"]
auth = { module = "pass_table", table = { module = "static", entries = {} } }
storage = { module = "maildir", path = "/srv/{account}" }
`;

function faults(capabilities: string): string[] {
  const config = parseConfig(`${CONFIG}capabilities = ${capabilities}\n`, "x.toml");
  return capabilityFaults(config, "x.toml");
}

Deno.test("capabilityFaults: takes capabilities, families and mechanisms in any case", () => {
  deepStrictEqual(faults('{ disable = ["condstore", "APPENDLIMIT", "STATUS", "AUTH=PLAIN"] }'), []);
});

Deno.test("capabilityFaults: tells where an unknown name stands, and the nearest one", () => {
  deepStrictEqual(faults('{ disable = ["MOVE", "CONDSTOR", "IMAP4rev1", "AUTH"] }'), [
    "x.toml:6:37: imap.capabilities.disable[1] must be a capability of this server: got " +
    '"CONDSTOR", did you mean CONDSTORE?',
    "x.toml:6:49: imap.capabilities.disable[2] must be a capability of this server: got " +
    '"IMAP4rev1", did you mean IMAP4rev2?',
    'x.toml:6:62: imap.capabilities.disable[3] must be a capability of this server: got "AUTH"',
  ]);
});
