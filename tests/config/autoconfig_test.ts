import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { clientSettings } from "../../src/app/client_settings.ts";
import { ConfigError, parseConfig } from "../../src/config/load.ts";

function config(tls: string, listen: string, forms: string): string {
  return `hostname = "mail.example.org"\ntls = ${tls}\n[[imap]]\nlisten = ${listen}\n` +
    'auth = ["pass_table", ["file", "users"]]\nstorage = "maildir"\n' + forms;
}

function faultsOf(text: string): readonly string[] {
  try {
    parseConfig(text, "c.toml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

const PUBLIC =
  '["tcp://0.0.0.0:143", "tls://[::]:993", "tls://0.0.0.0:993", "tcp://127.0.0.1:1143"]';

Deno.test("parseConfig() reports what is wrong in [autoconfig] with its place", () => {
  const forms = '[autoconfig]\nlisten = ["tls://0.0.0.0:443"]\nsmtp = "mail:465"\n';
  deepStrictEqual(faultsOf(config('"off"', '["tcp://127.0.0.1:1"]', forms)), [
    'c.toml:8:11: autoconfig.listen needs the top-level tls for "tls://0.0.0.0:443": got none',
    'c.toml:9:8: autoconfig.smtp must be "tls://HOST:PORT" (TLS from the first byte) or ' +
    '"tcp://HOST:PORT" (STARTTLS), or a list of such: got "mail:465"',
  ]);
});

Deno.test("clientSettings() offers what can be reached from elsewhere, TLS first", () => {
  const found = clientSettings(parseConfig(config('"self_signed"', PUBLIC, ""), "c.toml"), "x");
  const host = "mail.example.org";
  deepStrictEqual(found.imap, [
    { host, port: 993, security: "tls" },
    { host, port: 143, security: "starttls" },
  ]);
  deepStrictEqual(found.smtp, [{ host, port: 465, security: "tls" }]);
  strictEqual(found.username, "address");
});

Deno.test("clientSettings() takes from [autoconfig] what stands there", () => {
  const forms =
    '[autoconfig]\nlisten = ["tcp://127.0.0.1:8080"]\nsmtp = "tcp://smtp.example.org:587"\n' +
    'imap = "tls://imap.example.org:993"\nusername = "local_part"\n';
  const found = clientSettings(parseConfig(config('"self_signed"', PUBLIC, forms), "c.toml"), "x");
  deepStrictEqual(found.imap, [{ host: "imap.example.org", port: 993, security: "tls" }]);
  deepStrictEqual(found.smtp, [{ host: "smtp.example.org", port: 587, security: "starttls" }]);
  strictEqual(found.username, "local_part");
});
