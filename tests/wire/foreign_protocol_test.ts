import { equal } from "node:assert/strict";
import { foreignProtocol } from "../../src/wire/foreign_protocol.ts";

Deno.test("foreignProtocol() knows the first lines of HTTP and of TLS, and no command of IMAP", () => {
  equal(foreignProtocol("POST /a?b HTTP/1.1"), "HTTP");
  equal(foreignProtocol("PRI * HTTP/2.0"), "HTTP");
  equal(foreignProtocol("\x16\x03\x01\0\x3c\x01"), "TLS");
  equal(foreignProtocol("GET LOGIN HTTP"), undefined);
  equal(foreignProtocol("a1 CAPABILITY"), undefined);
  equal(foreignProtocol(""), undefined);
});
