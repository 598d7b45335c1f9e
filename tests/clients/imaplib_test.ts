import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { PASSWORD, startServer } from "../harness.ts";
import { clientTest, run, workplace } from "./programs.ts";

const SESSION = fileURLToPath(new URL("imaplib_session.py", import.meta.url));

for (const way of ["tls", "starttls"] as const) {
  clientTest(
    ["python3"],
    `imaplib: logs in over ${way} and works through a whole session`,
    async () => {
      await using server = await startServer();
      await using place = await workplace(server);
      const port = way === "tls" ? server.tlsPort : server.port;
      const { code, stdout, stderr } = await run([
        ...["python3", SESSION, way, String(port), server.freshUser(), PASSWORD],
        place.certificate,
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^done [1-9]\d+$/m);
    },
  );
}
