import assert from "node:assert/strict";
import tls from "node:tls";
import { logged } from "../auth/login.ts";
import { startServer } from "../harness.ts";
import { userCertificates } from "./certificates.ts";
import { clientTest, run, workplace } from "./programs.ts";

const USERS = {
  ann: "email:ann@example.org,email:bob@example.org",
  nameless: "DNS:nameless.example",
  stranger: "email:ann@example.org",
};

clientTest(
  ["openssl", "curl"],
  "EXTERNAL: a trusted certificate is enough, and any other is as good as none",
  async () => {
    await using users = await userCertificates(USERS);
    const imap = `tls = { loader = "self_signed", client_ca = ["${users.dir}/ca.pem"] }\n`;
    await using server = await startServer({ imap });
    /** Lines that the server says to a client that shows a certificate. */
    const talk = async (name: string | undefined, port: number, ...says: string[]) => {
      const file = async (end: string) =>
        name && await Deno.readTextFile(`${users.dir}/${name}.${end}`);
      const socket = tls.connect({
        ...{ host: "127.0.0.1", port, rejectUnauthorized: false },
        ...{ cert: await file("pem"), key: await file("key") },
      });
      let heard = "";
      for await (const bytes of socket) {
        heard += new TextDecoder().decode(bytes);
        if (!heard.endsWith("\r\n")) continue;
        const next = says.shift();
        if (next === undefined) break;
        socket.write(`${next}\r\n`);
      }
      return heard.split("\r\n").slice(0, -1);
    };
    const external = async (name: string | undefined, ...says: string[]) =>
      (await talk(name, server.tlsPort, ...says)).at(-1)?.replace(/\[CAPABILITY .*?\] /, "");

    assert.match((await talk("ann", server.tlsPort))[0], / AUTH=EXTERNAL AUTH=PLAIN\]/);
    assert.equal(
      await external("ann", "a AUTHENTICATE EXTERNAL ="),
      "a OK Logged in to mail.example.org",
    );
    await logged(server, /mechanism=EXTERNAL user=ann@example.org remote=\S+ secure=true/);
    assert.match(await external("ann", "a AUTHENTICATE EXTERNAL", "") ?? "", /^a OK /);
    const bob = btoa("bob@example.org");
    assert.match(await external("ann", `a AUTHENTICATE EXTERNAL ${bob}`) ?? "", /^a OK /);
    await logged(server, /mechanism=EXTERNAL user=bob@example.org/);
    assert.equal(
      await external("ann", `a AUTHENTICATE EXTERNAL ${btoa("eve@example.org")}`),
      "a NO [AUTHORIZATIONFAILED] Acting for another user is not allowed",
    );
    assert.equal(
      await external("ann", "a AUTHENTICATE EXTERNAL", "*"),
      "a BAD Authentication cancelled",
    );
    for (const name of ["nameless", "stranger", undefined]) {
      assert.doesNotMatch((await talk(name, server.tlsPort))[0], /EXTERNAL/, name);
      assert.equal(
        await external(name, "a AUTHENTICATE EXTERNAL ="),
        "a NO [CANNOT] Unsupported mechanism",
      );
      assert.match(await external(name, "a LOGIN u1 secret") ?? "", /^a OK /);
    }

    await using place = await workplace(server);
    const curl = (user: string, url: string) =>
      run([
        ...["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", place.certificate],
        ...["--cert", `${users.dir}/ann.pem`, "--key", `${users.dir}/ann.key`],
        ...["--user", `${user}:`, "--login-options", "AUTH=EXTERNAL", "--sasl-ir", url],
      ]);
    const { code, stdout, stderr } = await curl(
      "bob@example.org",
      `imaps://127.0.0.1:${server.tlsPort}/`,
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /INBOX/);
    const upgraded = await curl("bob@example.org", `imap://127.0.0.1:${server.port}/`);
    assert.equal(upgraded.code, 0, upgraded.stderr);
  },
);
