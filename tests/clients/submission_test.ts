import { match, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { freePorts } from "../auth/free_ports.ts";
import { machineImage } from "../cli/machine_image.ts";
import { PASSWORD } from "../harness.ts";
import { LmtpClient } from "../lmtp/client.ts";
import { messagesOf, startLmtpServer } from "../lmtp/serving.ts";
import { until } from "../until.ts";
import { missingForPostfix, startPostfix } from "./postfix.ts";
import { isInstalled } from "./programs.ts";

function postfixTest(programs: readonly string[], name: string, fn: () => Promise<void>): void {
  const missing = [...missingForPostfix(), ...programs.filter((each) => !isInstalled(each))];
  const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
  Deno.test({ name: `${name}${reason}`, ignore: missing.length > 0, fn });
}

/** What `imapd init` prints for Postfix, as lines of main.cf. */
async function printedLines(socket: string): Promise<string> {
  await using image = await machineImage({});
  const { out } = await image.init("--yes", "--hostname", "mail.example.org");
  return [...out.matchAll(/postconf -e '([^']+)'/g)].map(([, line]) => `${line}\n`).join("")
    .replace("/run/imapd/lmtp.sock", socket);
}

postfixTest(
  [],
  "Postfix with what imapd init prints takes mail for whom there is, and for nobody else",
  async () => {
    await using server = await startLmtpServer({ group: "postfix" });
    const user = await server.accountUser();
    // Others than this machine's own clients, who may send anything.
    const strangers = "mynetworks =\nsmtpd_relay_restrictions = reject_unauth_destination\n" +
      "address_verify_poll_delay = 1s\n";
    await using postfix = await startPostfix(`${strangers}${await printedLines(server.lmtp.path)}`);
    await using client = await LmtpClient.connect({ port: postfix.port });
    await client.says("EHLO client.example.net", /^250/);
    await client.says("MAIL FROM:<bob@example.net>", /^250/);
    await client.says("RCPT TO:<nobody@example.org>", /^550/);
    await client.says("RCPT TO:<ann@elsewhere.example>", /^554/);
    await client.says("RSET", /^250/);
    const delivered = await client.deliver(
      [`${user}@example.org`],
      "Subject: x\n\nHello\n",
      "bob@example.net",
    );
    match(delivered[0], /^250/, await postfix.log());
    await until(
      async () => (await messagesOf(server, user)).length === 1,
      "the message in the mailbox",
    );
  },
);

postfixTest(
  ["saslauthd", "setsid"],
  "Postfix lets users of imapd send, by the saslauthd of docs/quick-start.md",
  async () => {
    const [port, submission] = await freePorts(2);
    const quickStart = await Deno.readTextFile(
      new URL("../../docs/quick-start.md", import.meta.url),
    );
    const [block] = /^ {4}\[\[imap\]\]\n[^]*?\n(?=\n)/m.exec(quickStart) ?? [""];
    const endpoint = block.replace(/^ {4}/gm, "").replace("10143", String(port))
      .replace("&users", "&local_authdb").replace("&mail", "&local_mailboxes");
    await using server = await startLmtpServer({ storage: `\n${endpoint}` });
    const dir = await Deno.makeTempDir({ prefix: "imapd-sasl-" });
    await Deno.chmod(dir, 0o755);
    const [, settings] = /printf '([^']+)'/.exec(quickStart) ?? [];
    const saslauthd = new Deno.Command("setsid", {
      // At its end it signals its whole process group.
      args: [
        "saslauthd",
        "-d",
        "-a",
        "rimap",
        "-O",
        `127.0.0.1/${port}`,
        "-r",
        "-n",
        "1",
        "-m",
        dir,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await until(() => Deno.stat(`${dir}/mux`).then(() => true, () => false), "saslauthd");
      await using postfix = await startPostfix(
        "smtpd_sasl_auth_enable = yes\n",
        `127.0.0.1:${submission} inet n - n - - smtpd\n`,
      );
      await Deno.mkdir(`${postfix.dir}/config/sasl`);
      await Deno.writeTextFile(
        `${postfix.dir}/config/sasl/smtpd.conf`,
        `${settings.replaceAll("\\n", "\n")}saslauthd_path: ${dir}/mux\n`,
      );
      await using client = await LmtpClient.connect({ port: submission });
      await client.says("EHLO client.example.net", /^250[- ]AUTH .*PLAIN/m);
      const plain = (password: string) =>
        `AUTH PLAIN ${Buffer.from(`\0u7\0${password}`).toString("base64")}`;
      await client.says(plain("wrong"), /^535/);
      await client.says(plain(PASSWORD), /^235/);
      strictEqual(server.log().includes("user=u7"), true, server.log());
    } finally {
      saslauthd.kill("SIGTERM");
      await saslauthd.status;
      await Deno.remove(dir, { recursive: true });
    }
  },
);
