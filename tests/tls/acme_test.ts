import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { acmeCertificate, type AcmeOptions, type AcmeSettings } from "../../src/tls/acme.ts";
import { alpnResponder, httpResponder } from "../../src/tls/acme_challenge.ts";
import { clientTest } from "../clients/programs.ts";
import { type AcmeServer, startAcmeServer } from "./acme_server.ts";
import { DAY, type Folder, folder, namesServed } from "./fixture.ts";
import { freePort } from "./free_port.ts";

const MINUTE = 60_000;
const NAMES = ["mail.example.org", "imap.example.org"];

/** A test that has a CA. */
function acmeTest(name: string, fn: (at: Folder, server: AcmeServer) => Promise<void>): void {
  clientTest(["openssl"], name, async () => {
    await using at = await folder();
    await using server = await startAcmeServer(PORTS);
    await fn(at, server);
  });
}

const PORTS = { httpPort: freePort(), tlsPort: freePort() };

function settings(server: AcmeServer, { dir }: Folder, other: Partial<AcmeSettings> = {}) {
  const responder = httpResponder({ host: "127.0.0.1", port: PORTS.httpPort });
  const { directory, caRoots } = server;
  return {
    names: NAMES,
    directory,
    caRoots,
    responder,
    keyType: "ecdsa",
    storePath: dir,
    ...other,
  } satisfies AcmeSettings;
}

/** A wait that a test ends by hand: the loader stands still until then. */
interface Pauses {
  readonly options: Pick<AcmeOptions, "wait" | "random">;
  /** Milliseconds of the next pause that is longer than a look at what the CA does. */
  next(): Promise<number>;
  /** Ends the pause that {@link next} told of. */
  end(): void;
}

function pauses(): Pauses {
  const told: number[] = [];
  let listener = () => {};
  let end = () => {};
  return {
    options: {
      random: () => 0.5,
      wait(milliseconds, signal) {
        if (milliseconds <= MINUTE) return Promise.resolve();
        return new Promise((resolve, reject) => {
          end = resolve;
          signal.addEventListener("abort", () => reject(signal.reason));
          told.push(milliseconds);
          listener();
        });
      },
    },
    next: () =>
      new Promise((resolve) => {
        listener = () => {
          const milliseconds = told.shift();
          if (milliseconds !== undefined) resolve(milliseconds);
        };
        listener();
      }),
    end: () => end(),
  };
}

for (const type of ["http-01", "tls-alpn-01"] as const) {
  acmeTest(`acmeCertificate() proves by ${type} that names are its own`, async (at, server) => {
    const { httpPort, tlsPort } = PORTS;
    const responder = type === "http-01"
      ? httpResponder({ host: "127.0.0.1", port: httpPort })
      : alpnResponder({ host: "127.0.0.1", port: tlsPort });
    const pause = pauses();
    const certificates = acmeCertificate(settings(server, at, { responder }), {
      ...at.options,
      ...pause.options,
    });
    try {
      await pause.next();
      deepStrictEqual(certificates.current[0].names, NAMES, at.lines.join("\n"));
      match(at.lines[1], /^info: certificates loaded again/);
      match(at.lines[2], /^info: certificate issued names=mail.example.org,imap.example.org end=/);
      // Nobody answers any more.
      for (const port of Object.values(PORTS)) Deno.listen({ hostname: "127.0.0.1", port }).close();
    } finally {
      await certificates.close();
    }
  });
}

acmeTest(
  "acmeCertificate() renews after two thirds of the life, under the same account",
  async (at, server) => {
    const pause = pauses();
    const options = { ...at.options, ...pause.options };
    const certificates = acmeCertificate(settings(server, at), options);
    try {
      await pause.next();
      const [first] = certificates.current;
      // A random half of a thirtieth later: 61.5 days of 90.
      at.pass(61.4 * DAY);
      pause.end();
      const left = await pause.next();
      ok(left > MINUTE && left <= 60 * MINUTE, `${left}`);
      strictEqual(certificates.current[0], first);
      at.pass(0.2 * DAY);
      pause.end();
      await pause.next();
      notStrictEqual(certificates.current[0].cert, first.cert);
      notStrictEqual(certificates.current[0].key, first.key);
      strictEqual(server.accounts.size, 1);
      strictEqual(server.requests.filter((path) => path === "newOrder").length, 2);
    } finally {
      await certificates.close();
    }
  },
);

acmeTest(
  "acmeCertificate() keeps what it has over a restart, but not that of another CA",
  async (at, server) => {
    const open = async (wanted: AcmeSettings) => {
      const pause = pauses();
      const certificates = acmeCertificate(wanted, { ...at.options, ...pause.options });
      const [before] = certificates.current;
      await pause.next();
      await certificates.close();
      return { before, after: certificates.current[0] };
    };
    const { after } = await open(settings(server, at));
    const again = await open(settings(server, at));
    strictEqual(again.before.cert, after.cert);
    strictEqual(again.after.cert, after.cert);
    strictEqual(server.requests.filter((path) => path === "newOrder").length, 1);
    await using other = await startAcmeServer(PORTS);
    const elsewhere = await open(settings(other, at));
    notStrictEqual(elsewhere.before.cert, after.cert);
    notStrictEqual(elsewhere.after.cert, after.cert);
  },
);

acmeTest(
  "acmeCertificate() has a certificate issued for names that were added, and serves the old one meanwhile",
  async (at, server) => {
    const first = pauses();
    const one = settings(server, at, { names: [NAMES[0]] });
    const before = acmeCertificate(one, { ...at.options, ...first.options });
    await first.next();
    await before.close();
    const pause = pauses();
    const certificates = acmeCertificate(settings(server, at), { ...at.options, ...pause.options });
    try {
      deepStrictEqual(certificates.current[0].names, [NAMES[0]]);
      await pause.next();
      deepStrictEqual(certificates.current[0].names, NAMES);
    } finally {
      await certificates.close();
    }
  },
);

acmeTest(
  "acmeCertificate() tries again ever more seldom, and as the CA wishes",
  async (at, server) => {
    const pause = pauses();
    const responder = httpResponder({ host: "127.0.0.1", port: freePort() });
    const certificates = acmeCertificate(settings(server, at, { responder }), {
      ...at.options,
      ...pause.options,
    });
    try {
      const minutes: number[] = [];
      for (let failures = 1; failures <= 10; failures++) {
        minutes.push(await pause.next() / MINUTE);
        if (failures === 1) {
          server.refuseNext("newOrder", {
            type: "rateLimited",
            detail: "Too many",
            retryAfter: 7200,
          });
        }
        pause.end();
      }
      // Half of the random quarter: 5 minutes and 37.5 seconds, doubled each time up to a day.
      deepStrictEqual(minutes, [5.625, 120, 22.5, 45, 90, 180, 360, 720, 1440, 1620]);
      const failures = at.lines.filter((line) => line.startsWith("error: certificate not issued"));
      match(failures[0], /unauthorized: Asked mail.example.org and got no connection/);
      match(failures[1], /rateLimited: Too many/);
      deepStrictEqual(await namesServed(certificates, [undefined]), ["mail.example.org"]);
    } finally {
      await certificates.close();
    }
  },
);

acmeTest("acmeCertificate() does not take a certificate for other names", async (at, server) => {
  server.issueFor(["evil.example"]);
  const pause = pauses();
  const certificates = acmeCertificate(settings(server, at), { ...at.options, ...pause.options });
  try {
    await pause.next();
    match(at.lines[1], /The CA's certificate is not for mail.example.org,imap.example.org/);
    server.issueFor(undefined);
    pause.end();
    await pause.next();
    deepStrictEqual(certificates.current[0].names, NAMES);
  } finally {
    await certificates.close();
  }
});

acmeTest("acmeCertificate() says why it does not reach the CA", async (at, server) => {
  const directory = `https://127.0.0.1:${freePort()}/directory`;
  for (
    const [other, reason] of [
      [{ directory }, /Connection refused/],
      [{ caRoots: undefined }, /invalid peer certificate: UnknownIssuer/],
    ] as const
  ) {
    at.lines.length = 0;
    const pause = pauses();
    const certificates = acmeCertificate(settings(server, at, other), {
      ...at.options,
      ...pause.options,
    });
    await pause.next();
    await certificates.close();
    match(at.lines[1], /^error: certificate not issued /);
    match(at.lines[1], reason);
  }
});

acmeTest("acmeCertificate() replaces a kept certificate that is damaged", async (at, server) => {
  const first = pauses();
  const before = acmeCertificate(settings(server, at), { ...at.options, ...first.options });
  await first.next();
  await before.close();
  const { path } = before.current[0];
  Deno.writeTextFileSync(path, "damaged");
  at.lines.length = 0;
  const pause = pauses();
  const certificates = acmeCertificate(settings(server, at), { ...at.options, ...pause.options });
  try {
    match(at.lines[0], /^error: certificate not loaded error="Expected a certificate in PEM, got/);
    await pause.next();
    strictEqual(certificates.current[0].path, path);
  } finally {
    await certificates.close();
  }
});

acmeTest(
  "acmeCertificate() ends while it waits for a CA that does not answer",
  async (at, server) => {
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = silent.accept();
    const directory = `https://127.0.0.1:${silent.addr.port}/`;
    const certificates = acmeCertificate(settings(server, at, { directory }), at.options);
    const connection = await accepted;
    await certificates.close();
    connection.close();
    silent.close();
    deepStrictEqual(at.lines.filter((line) => line.startsWith("error")), []);
  },
);
