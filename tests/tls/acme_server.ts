/**
 * A certificate authority that speaks ACME: signatures and nonces are checked, challenges are
 * really asked for, certificates are signed by openssl. What goes wrong can be ordered.
 *
 * @see RFC 8555 §7
 */

import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type JsonWebKey, randomUUID, verify } from "node:crypto";
import { pem } from "../../src/tls/der.ts";
import { makeSelfSigned } from "../../src/tls/x509.ts";
import { run } from "../clients/programs.ts";

export interface AcmeServerOptions {
  /** Where challenges are asked for, on 127.0.0.1. */
  readonly httpPort?: number;
  readonly tlsPort?: number;
}

export interface AcmeServer extends AsyncDisposable {
  readonly directory: string;
  /** Roots of the server's own certificate. */
  readonly caRoots: readonly string[];
  /** Paths that were posted to, without their last part. */
  readonly requests: string[];
  /** Accounts by the thumbprint of their key. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Answers the next request to `path` with this problem. */
  refuseNext(path: string, problem: Refusal): void;
  /** Has certificates be for other names than those that were ordered. */
  issueFor(names: readonly string[] | undefined): void;
}

export interface Refusal {
  readonly type: string;
  readonly detail: string;
  readonly retryAfter?: number;
}

interface Authorization {
  readonly name: string;
  readonly token: string;
  status: "pending" | "valid" | "invalid";
  error?: object;
}

interface Order {
  readonly names: readonly string[];
  readonly authorizations: readonly string[];
  certificate?: string;
}

interface Signed {
  readonly thumbprint: string;
  readonly payload: Record<string, unknown>;
}

const DAY = 86_400_000;

/** The request is not what ACME asks for. */
class BadRequest extends Error {
  constructor(readonly type: string, detail: string) {
    super(detail);
  }
}

export async function startAcmeServer(options: AcmeServerOptions): Promise<AcmeServer> {
  const dir = await Deno.makeTempDir({ prefix: "imapd-acme-" });
  const own = makeSelfSigned({
    names: ["127.0.0.1"],
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
  });
  const ca = await Authority.make(dir, options);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: own.cert, key: own.key, onListen() {} },
    (request) => ca.handle(request),
  );
  ca.base = `https://127.0.0.1:${server.addr.port}`;
  return {
    directory: `${ca.base}/directory`,
    caRoots: [own.cert],
    requests: ca.requests,
    accounts: ca.accounts,
    refuseNext: (path, problem) => void ca.refusals.set(path, problem),
    issueFor: (names) => ca.otherNames = names,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

class Authority {
  base = "";
  otherNames: readonly string[] | undefined;
  readonly requests: string[] = [];
  readonly accounts = new Map<string, string>();
  readonly refusals = new Map<string, Refusal>();
  readonly #nonces = new Set<string>();
  readonly #jwks = new Map<string, JsonWebKey>();
  readonly #orders = new Map<string, Order>();
  readonly #authorizations = new Map<string, Authorization>();

  constructor(readonly dir: string, readonly options: AcmeServerOptions) {}

  static async make(dir: string, options: AcmeServerOptions): Promise<Authority> {
    await openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=Test-CA",
      ["-keyout", `${dir}/ca.key`, "-out", `${dir}/ca.pem`],
    );
    return new Authority(dir, options);
  }

  async handle(request: Request): Promise<Response> {
    const [, path, id = ""] = new URL(request.url).pathname.split("/");
    if (path === "directory") {
      const url = (name: string) => [name, `${this.base}/${name}`];
      return Response.json(Object.fromEntries(["newNonce", "newAccount", "newOrder"].map(url)));
    }
    if (request.method === "HEAD") return this.#answer(null);
    this.requests.push(path);
    try {
      const signed = this.#verified(await request.json(), request.url);
      const refusal = this.refusals.get(path);
      this.refusals.delete(path);
      if (refusal !== undefined) return this.#refuse(refusal, 429);
      return await this.#act(path, id, signed);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      return this.#refuse({ type: error.type, detail: error.message }, 400);
    }
  }

  async #act(path: string, id: string, { thumbprint, payload }: Signed): Promise<Response> {
    switch (path) {
      case "newAccount": {
        if (payload.termsOfServiceAgreed !== true) throw new BadRequest("userActionRequired", "");
        return this.#answer({ status: "valid" }, `account/${this.accounts.get(thumbprint)}`);
      }
      case "newOrder":
        return this.#newOrder(payload);
      case "order":
        return this.#answer(this.#orderText(id), `order/${id}`);
      case "authorization":
        return this.#answer(this.#authorizationText(id));
      case "http-01":
      case "tls-alpn-01":
        await this.#validate(path, this.#authorization(id), thumbprint);
        return this.#answer({ status: "processing" });
      case "finalize":
        await this.#issue(this.#order(id), String(payload.csr));
        return this.#answer(this.#orderText(id), `order/${id}`);
      case "certificate":
        return this.#answer(this.#order(id).certificate ?? "");
    }
    throw new BadRequest("malformed", `No such path: ${path}`);
  }

  #newOrder(payload: Record<string, unknown>): Response {
    const identifiers = payload.identifiers as { type: string; value: string }[];
    const authorizations = identifiers.map(({ type, value }) => {
      if (type !== "dns") throw new BadRequest("unsupportedIdentifier", type);
      const id = randomUUID();
      this.#authorizations.set(id, { name: value, token: randomUUID(), status: "pending" });
      return id;
    });
    const id = randomUUID();
    this.#orders.set(id, { names: identifiers.map(({ value }) => value), authorizations });
    return this.#answer(this.#orderText(id), `order/${id}`);
  }

  #orderText(id: string) {
    const { authorizations, certificate } = this.#order(id);
    const states = authorizations.map((each) => this.#authorization(each).status);
    const proven = states.every((state) => state === "valid") ? "ready" : "pending";
    return {
      status: certificate !== undefined ? "valid" : states.includes("invalid") ? "invalid" : proven,
      authorizations: authorizations.map((each) => `${this.base}/authorization/${each}`),
      finalize: `${this.base}/finalize/${id}`,
      ...certificate === undefined ? {} : { certificate: `${this.base}/certificate/${id}` },
    };
  }

  #authorizationText(id: string) {
    const { name, token, status, error } = this.#authorization(id);
    const challenges = ["http-01", "tls-alpn-01", "dns-01"].map((type) => ({
      type,
      token,
      status,
      error,
      url: `${this.base}/${type}/${id}`,
    }));
    return { status, identifier: { type: "dns", value: name }, challenges };
  }

  async #validate(type: string, authorization: Authorization, thumbprint: string): Promise<void> {
    const wanted = `${authorization.token}.${thumbprint}`;
    const got = type === "http-01"
      ? await this.#askHttp(authorization.token)
      : await this.#askTls(authorization.name, wanted);
    authorization.status = got === wanted ? "valid" : "invalid";
    if (got === wanted) return;
    const detail = `Asked ${authorization.name} and got ${got}`;
    authorization.error = { type: "urn:ietf:params:acme:error:unauthorized", detail };
  }

  async #askHttp(token: string): Promise<string> {
    const url = `http://127.0.0.1:${this.options.httpPort}/.well-known/acme-challenge/${token}`;
    try {
      const response = await fetch(url);
      return response.ok ? await response.text() : `status ${response.status}`;
    } catch {
      return "no connection";
    }
  }

  /** @returns `wanted` if the certificate proves it. @see RFC 8737 §3 */
  async #askTls(name: string, wanted: string): Promise<string> {
    const { stdout } = await run([
      ...["openssl", "s_client", "-connect", `127.0.0.1:${this.options.tlsPort}`],
      ...["-servername", name, "-alpn", "acme-tls/1"],
    ]);
    if (!stdout.includes("ALPN protocol: acme-tls/1")) return "no ALPN";
    const [text = ""] = stdout.match(/-----BEGIN CERT[^]*?-----END CERTIFICATE-----/) ?? [];
    const octets = Buffer.from(text.replace(/-----.*-----|\s/g, ""), "base64").toString("hex");
    const hash = createHash("sha256").update(wanted).digest("hex");
    // critical, then an octet string in an octet string
    return octets.includes(`0101ff04220420${hash}`) ? wanted : "another certificate";
  }

  async #issue(order: Order, csr: string): Promise<void> {
    const file = (ending: string) => `${this.dir}/request.${ending}`;
    const request = pem("CERTIFICATE REQUEST", Buffer.from(csr, "base64url"));
    await Deno.writeTextFile(file("csr"), request);
    const text = await openssl("req -verify -noout -text", ["-in", file("csr")]);
    const asked = [...text.matchAll(/DNS:([^,\s]+)/g)].map(([, name]) => name);
    if (asked.join() !== order.names.join()) throw new BadRequest("badCSR", asked.join());
    const names = (this.otherNames ?? order.names).map((name) => `DNS:${name}`);
    await Deno.writeTextFile(file("ext"), `subjectAltName=${names.join()}\n`);
    await openssl(
      "x509 -req -days 90 -CAcreateserial",
      ["-CA", `${this.dir}/ca.pem`, "-CAkey", `${this.dir}/ca.key`]
        .concat(["-in", file("csr"), "-extfile", file("ext"), "-out", file("pem")]),
    );
    const root = await Deno.readTextFile(`${this.dir}/ca.pem`);
    order.certificate = await Deno.readTextFile(file("pem")) + root;
  }

  #order(id: string): Order {
    return this.#orders.get(id) ?? fail("No such order");
  }

  #authorization(id: string): Authorization {
    return this.#authorizations.get(id) ?? fail("No such authorization");
  }

  /** @see RFC 8555 §6.2 */
  #verified(body: Record<"protected" | "payload" | "signature", string>, url: string): Signed {
    const header = JSON.parse(decoded(body.protected));
    if (!this.#nonces.delete(header.nonce)) throw new BadRequest("badNonce", "Unknown nonce");
    if (header.url !== url) throw new BadRequest("unauthorized", "Another URL was signed");
    if (header.alg !== "ES256") throw new BadRequest("badSignatureAlgorithm", header.alg);
    const jwk: JsonWebKey = header.jwk ?? this.#jwks.get(header.kid) ?? fail("Unknown account");
    const { crv, kty, x, y } = jwk;
    const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
    const text = Buffer.from(`${body.protected}.${body.payload}`);
    const signature = Buffer.from(body.signature, "base64url");
    if (!verify("sha256", text, key as Parameters<typeof verify>[2], signature)) {
      throw new BadRequest("unauthorized", "Wrong signature");
    }
    const thumbprint = createHash("sha256").update(JSON.stringify({ crv, kty, x, y }))
      .digest("base64url");
    if (!this.accounts.has(thumbprint)) {
      const id = randomUUID();
      this.accounts.set(thumbprint, id);
      this.#jwks.set(`${this.base}/account/${id}`, jwk);
    }
    return { thumbprint, payload: body.payload === "" ? {} : JSON.parse(decoded(body.payload)) };
  }

  #answer(body: object | string | null, location?: string): Response {
    const text = typeof body === "object" && body !== null ? JSON.stringify(body) : body;
    return new Response(text, { headers: this.#headers(location) });
  }

  #refuse({ type, detail, retryAfter }: Refusal, status: number): Response {
    const headers = this.#headers(undefined);
    if (retryAfter !== undefined) headers.set("Retry-After", String(retryAfter));
    const problem = { type: `urn:ietf:params:acme:error:${type}`, detail };
    return Response.json(problem, { status, headers });
  }

  #headers(location: string | undefined): Headers {
    const nonce = randomUUID();
    this.#nonces.add(nonce);
    return new Headers({
      "Replay-Nonce": nonce,
      ...location === undefined ? {} : { Location: `${this.base}/${location}` },
    });
  }
}

function fail(detail: string): never {
  throw new BadRequest("malformed", detail);
}

function decoded(text: string): string {
  return Buffer.from(text, "base64url").toString();
}

async function openssl(words: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(["openssl", ...words.split(" "), ...args]);
  if (code !== 0) throw new BadRequest("serverInternal", stderr);
  return stdout;
}
