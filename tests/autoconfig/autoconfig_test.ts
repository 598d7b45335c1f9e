import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { imapd } from "../cli/program.ts";
import { certificateOf } from "../clients/certificate.ts";
import { clientTest, run } from "../clients/programs.ts";
import { startServer, type TestServer } from "../harness.ts";

const FORMS = `
[autoconfig]
listen = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]
domains = ["example.org", "example.net"]
imap = ["tls://mail.example.org:993", "tcp://mail.example.org:143"]
smtp = ["tls://mail.example.org:465", "tcp://mail.example.org:587"]
`;

interface FormServer extends AsyncDisposable {
  readonly server: TestServer;
  readonly http: string;
  readonly https: string;
}

async function formServer(forms = FORMS): Promise<FormServer> {
  const server = await startServer({ storage: forms });
  const ports = [...server.log().matchAll(/listening on (tcp|tls):\/\/127\.0\.0\.1:(\d+)/g)]
    .slice(-2).map(([, , port]) => port);
  return {
    server,
    http: `http://127.0.0.1:${ports[0]}`,
    https: `https://localhost:${ports[1]}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function text(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  strictEqual(response.status, 200, url);
  return await response.text();
}

async function status(url: string, init?: RequestInit): Promise<number> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
}

function question(address: string, schema = "outlook/responseschema/2006a"): RequestInit {
  return {
    method: "POST",
    body: `<?xml version="1.0"?><Autodiscover xmlns="x"><Request><EMailAddress>${address}` +
      `</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/` +
      `autodiscover/${schema}</AcceptableResponseSchema></Request></Autodiscover>`,
  };
}

/** Values of an element, in order. */
function values(xml: string, element: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, v]) => v);
}

Deno.test("[autoconfig] serves Thunderbird's form at both of its paths", async () => {
  await using forms = await formServer();
  const query = "?emailaddress=ann%40Example.ORG";
  const xml = await text(`${forms.http}/mail/config-v1.1.xml${query}`);
  strictEqual(
    await text(`${forms.http}/.well-known/autoconfig/mail/config-v1.1.xml${query}`),
    xml,
  );
  deepStrictEqual(values(xml, "domain"), ["example.org", "example.net"]);
  deepStrictEqual(values(xml, "hostname"), Array(4).fill("mail.example.org"));
  deepStrictEqual(values(xml, "socketType"), ["SSL", "STARTTLS", "SSL", "STARTTLS"]);
  deepStrictEqual(values(xml, "port"), ["993", "143", "465", "587"]);
  deepStrictEqual(values(xml, "username"), Array(4).fill("%EMAILADDRESS%"));
});

Deno.test("[autoconfig] answers Outlook however its path is written", async () => {
  await using forms = await formServer();
  for (const path of ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"]) {
    const xml = await text(`${forms.http}${path}`, question("ann@example.org"));
    deepStrictEqual(values(xml, "Type"), ["IMAP", "SMTP"]);
    deepStrictEqual(values(xml, "LoginName"), ["ann@example.org", "ann@example.org"]);
    deepStrictEqual(values(xml, "Encryption"), ["SSL", "SSL"]);
  }
  const other = await text(
    `${forms.http}/autodiscover/autodiscover.xml`,
    question("ann@example.org", "mobilesync/responseschema/2006"),
  );
  deepStrictEqual(values(other, "ErrorCode"), ["600"]);
  strictEqual(await status(`${forms.http}/autodiscover/autodiscover.xml`), 405);
  const where = await text(
    `${forms.http}/autodiscover/autodiscover.json?Email=ann%40example.org&Protocol=AutodiscoverV1`,
  );
  deepStrictEqual(JSON.parse(where), {
    Protocol: "AutodiscoverV1",
    Url: `https://${new URL(forms.http).host}/autodiscover/autodiscover.xml`,
  });
});

clientTest(["python3"], "[autoconfig] serves a profile that plistlib reads", async () => {
  await using forms = await formServer();
  const response = await fetch(`${forms.http}/apple/mail.mobileconfig?address=ann%40example.org`);
  strictEqual(response.headers.get("content-type"), "application/x-apple-aspen-config");
  const file = `${forms.server.dir}/mail.mobileconfig`;
  await Deno.writeFile(file, await response.bytes());
  const script = "import json, plistlib, sys\n" +
    "print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
  const { stdout, stderr } = await run(["python3", "-c", script, file]);
  strictEqual(stderr, "");
  const profile = JSON.parse(stdout);
  const [account] = profile.PayloadContent;
  deepStrictEqual(
    [profile.PayloadType, profile.PayloadVersion, account.PayloadType],
    ["Configuration", 1, "com.apple.mail.managed"],
  );
  deepStrictEqual([account.EmailAddress, account.IncomingMailServerUsername], [
    "ann@example.org",
    "ann@example.org",
  ]);
  deepStrictEqual(
    [account.OutgoingMailServerHostName, account.OutgoingMailServerPortNumber],
    ["mail.example.org", 465],
  );
  strictEqual(account.IncomingMailServerUseSSL, true);
  const uuid = /^[\dA-F]{8}-[\dA-F]{4}-8[\dA-F]{3}-[89AB][\dA-F]{3}-[\dA-F]{12}$/;
  match(profile.PayloadUUID, uuid);
  match(account.PayloadUUID, uuid);
  const config = `${forms.server.dir}/config.toml`;
  const printed = await imapd(
    ["autoconfig", "apple", "--config", config, "--address", "ann@example.org"],
  );
  match(printed.err, /not signed/);
  ok(printed.out.includes(profile.PayloadUUID), "the same UUID each time");
});

clientTest(["xmllint"], "imapd autoconfig prints XML that xmllint takes", async () => {
  await using forms = await formServer();
  const config = ["--config", `${forms.server.dir}/config.toml`];
  for (const form of ["thunderbird", "outlook", "apple"]) {
    const file = `${forms.server.dir}/${form}.xml`;
    const person = ["--address", "o'hara&co@example.org", "--name", '<"Ann" & Co>'];
    const result = await imapd(["autoconfig", form, ...config, ...person, "-o", file]);
    strictEqual(result.code, 0, result.err);
    const { code, stderr } = await run(["xmllint", "--noout", "--nonet", file]);
    deepStrictEqual([code, stderr], [0, ""], form);
  }
});

Deno.test("imapd autoconfig dns prints records for what there is, and for what is not", async () => {
  await using forms = await formServer();
  const config = ["--config", `${forms.server.dir}/config.toml`];
  const { out, code } = await imapd(["autoconfig", "dns", ...config]);
  strictEqual(code, 0);
  const line = (start: string) => out.split("\n").find((each) => each.startsWith(start)) ?? "";
  match(line("_submissions._tcp.example.org."), /IN SRV\s+0 1 465 mail\.example\.org\.$/);
  match(line("_submission._tcp.example.net."), /IN SRV\s+10 1 587 mail\.example\.org\.$/);
  match(line("_pop3s._tcp.example.org."), /IN SRV\s+0 0 0 \.$/);
  match(line("autoconfig.example.org."), /IN CNAME\s+mail\.example\.org\.$/);
  const { out: one, err } = await imapd(
    [
      "autoconfig",
      "dns",
      ...config,
      "--address",
      "x@example.com",
      "--smtp",
      "smtp.example.com:587",
    ],
  );
  strictEqual(err, "");
  match(one, /_submissions\._tcp\.example\.com\. +3600 IN SRV +0 0 0 \./);
  match(one, /_submission\._tcp\.example\.com\. +3600 IN SRV +10 1 587 smtp\.example\.com\./);
});

Deno.test("imapd autoconfig says what is wrong with its arguments", async () => {
  await using forms = await formServer();
  const config = ["--config", `${forms.server.dir}/config.toml`];
  for (
    const [args, wanted] of [
      [["eudora"], /Expected thunderbird, outlook, apple, dns, got eudora/],
      [["apple", "--address", "ann"], /Expected a mail address for --address, got ann/],
      [["apple", "--smtp", "x"], /Expected HOST:PORT, .* for --smtp, got x/],
    ] as const
  ) {
    const { code, err } = await imapd(["autoconfig", ...args, ...config]);
    strictEqual(code, 2);
    match(err, wanted);
  }
});

Deno.test("[autoconfig] tells nobody who has an account", async () => {
  await using forms = await formServer();
  const at = (address: string) => `${forms.http}/mail/config-v1.1.xml?emailaddress=${address}`;
  const [there, absent] = [await text(at("u1@example.org")), await text(at("zoe@example.org"))];
  strictEqual(there, absent);
  strictEqual(await status(at("ann@example.com")), 404);
  strictEqual(await status(`${forms.http}/apple/x.mobileconfig?address=ann@example.com`), 404);
  const other = await text(
    `${forms.http}/autodiscover/autodiscover.xml`,
    question("ann@example.com"),
  );
  deepStrictEqual(values(other, "ErrorCode"), ["600"]);
});

Deno.test("[autoconfig] gives nothing back as it came", async () => {
  await using forms = await formServer(
    "\n[autoconfig]\nlisten = ['tcp://127.0.0.1:0']\n" +
      "smtp = 'tls://mail.example.org:465'\n",
  );
  const port = forms.server.log().match(/tcp:\/\/127\.0\.0\.1:(\d+)(?![^]*tcp:)/)?.[1];
  const http = `http://127.0.0.1:${port}`;
  const nasty = encodeURIComponent(`'"><script>alert(1)</script>@example.org`);
  for (
    const path of [
      `/?address=${nasty}`,
      `/mail/config-v1.1.xml?emailaddress=${nasty}`,
      `/apple/${nasty}.mobileconfig?address=${nasty}`,
      `/${nasty}`,
    ]
  ) {
    const response = await fetch(`${http}${path}`);
    ok(response.status >= 400, path);
    ok(!(await response.text()).includes("<script"), path);
  }
  const quoted = encodeURIComponent("o'hara&co@example.org");
  const page = await text(`${http}/?address=${quoted}`);
  ok(page.includes("o&apos;hara&amp;co@example.org") && !page.includes("o'hara"));
  const entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>';
  const { body } = question("&e;@example.org");
  const answer = await text(`${http}/autodiscover/autodiscover.xml`, {
    method: "POST",
    body: `${entity}${body}`,
  });
  deepStrictEqual(values(answer, "ErrorCode"), ["600"]);
});

Deno.test("[autoconfig] takes no more than it needs, and one request for a connection", async () => {
  await using forms = await formServer();
  const large = { method: "POST", body: "x".repeat(100_000) };
  strictEqual(await status(`${forms.http}/autodiscover/autodiscover.xml`, large), 413);
  strictEqual(await status(`${forms.http}/?${"x".repeat(20_000)}`), 413);
  strictEqual(await status(`${forms.http}/nothing`), 404);
  strictEqual(await status(`${forms.http}/`, { method: "DELETE" }), 405);
  const port = Number(new URL(forms.http).port);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  await connection.write(new TextEncoder().encode(head + head));
  const said = await new Response(connection.readable).text();
  strictEqual(said.match(/HTTP\/1\.1 200/g)?.length, 1);
});

Deno.test("[autoconfig] serves the same over TLS, with a page that has a QR code", async () => {
  await using forms = await formServer();
  using client = Deno.createHttpClient({ caCerts: [await certificateOf(forms.server.tlsPort)] });
  const response = await fetch(`${forms.https}/?address=ann%40example.org`, { client });
  match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  const page = await response.text();
  match(page, /<svg /);
  match(page, /href="\/apple\/mail\.mobileconfig\?address=ann%40example\.org"/);
  match(page, /mail\.example\.org, port 465, SSL\/TLS/);
});
