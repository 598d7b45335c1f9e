/** Which form a request gets. Everybody in a served domain gets the same, whether there or not. */

import { renderSVG } from "uqr";
import { appleProfile } from "./apple.ts";
import {
  type ClientSettings,
  isServed,
  type MailAddress,
  mailAddressOf,
} from "./client_settings.ts";
import { outlookConfig, outlookQuestion, outlookRefusal } from "./outlook.ts";
import { PAGE_POLICY, settingsPage } from "./page.ts";
import { thunderbirdConfig } from "./thunderbird.ts";

/** A request, as far as it matters. */
export interface FormRequest {
  readonly method: string;
  /** Still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly host?: string;
  readonly https: boolean;
  readonly body: string;
}

/** What is sent back. */
export interface FormAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const XML = "application/xml; charset=utf-8";
const THUNDERBIRD = /^(\/\.well-known\/autoconfig)?\/mail\/config-v1\.1\.xml$/;
const APPLE = /^\/apple\/[^/]{1,255}\.mobileconfig$/;

/** The answer of a server with these settings. */
export function answerForm(settings: ClientSettings, request: FormRequest): FormAnswer {
  const { method, path, query } = request;
  if (/^\/autodiscover\/autodiscover\.xml$/i.test(path)) {
    return method === "POST" ? autodiscover(settings, request.body) : refused("POST");
  }
  if (method !== "GET" && method !== "HEAD") return refused("GET, HEAD");
  if (THUNDERBIRD.test(path)) {
    return forAddress(
      settings,
      query,
      "emailaddress",
      false,
      (address) => answer(200, XML, thunderbirdConfig(settings, { address })),
    );
  }
  if (/^\/autodiscover\/autodiscover\.json(\/v1\.0\/[^/]+)?$/i.test(path)) {
    return redirection(settings, request);
  }
  if (APPLE.test(path)) {
    return forAddress(settings, query, "address", true, (address) => ({
      ...answer(200, "application/x-apple-aspen-config", appleProfile(settings, { address })),
      ...{
        headers: {
          "Content-Type": "application/x-apple-aspen-config",
          "Content-Disposition": 'attachment; filename="mail.mobileconfig"',
        },
      },
    }));
  }
  return path === "/" ? page(settings, request) : plain(404, "Not found");
}

/** Calls `make` where the address is one of ours; it may be left out, unless it is `needed`. */
function forAddress(
  settings: ClientSettings,
  query: URLSearchParams,
  key: string,
  needed: boolean,
  make: (address: MailAddress | undefined) => FormAnswer,
): FormAnswer {
  const given = query.get(key);
  if (given === null) return needed ? plain(400, `Expected ?${key}=ADDRESS`) : make(undefined);
  const address = mailAddressOf(given);
  if (address === undefined) return plain(400, "Expected a mail address");
  return isServed(settings, address.domain)
    ? make(address)
    : plain(404, "Not a domain of this server");
}

function autodiscover(settings: ClientSettings, body: string): FormAnswer {
  const address = outlookQuestion(body);
  const text = address === undefined || !isServed(settings, address.domain)
    ? outlookRefusal()
    : outlookConfig(settings, { address });
  return answer(200, XML, text);
}

/** Newer clients ask where to ask. */
function redirection(settings: ClientSettings, { query, host }: FormRequest): FormAnswer {
  const wanted = [...query].find(([key]) => key.toLowerCase() === "protocol")?.[1] ?? "";
  if (wanted.toLowerCase() !== "autodiscoverv1") {
    const error = {
      ErrorCode: "InvalidProtocol",
      ErrorMessage: "Only AutodiscoverV1 is supported",
    };
    return answer(400, "application/json; charset=utf-8", JSON.stringify(error));
  }
  const to = `https://${hostOf(host) ?? settings.name}/autodiscover/autodiscover.xml`;
  const found = { Protocol: "AutodiscoverV1", Url: to };
  return answer(200, "application/json; charset=utf-8", JSON.stringify(found));
}

function page(settings: ClientSettings, { query, host, https }: FormRequest): FormAnswer {
  const given = query.get("address");
  const address = given === null ? undefined : mailAddressOf(given);
  if (given === null) return html(200, settingsPage(settings, {}));
  if (address === undefined || !isServed(settings, address.domain)) {
    return html(400, settingsPage(settings, { fault: "That is not an address of this server." }));
  }
  const params = new URLSearchParams({ address: address.text });
  const base = `${https ? "https" : "http"}://${hostOf(host) ?? settings.name}`;
  const profileUrl = `${base}/apple/mail.mobileconfig?${params}`;
  return html(200, settingsPage(settings, { address, profileUrl, qrCode: renderSVG(profileUrl) }));
}

/** A host, with or without a port, that may stand in a URL. */
function hostOf(host: string | undefined): string | undefined {
  return host !== undefined && /^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/.test(host) ? host : undefined;
}

function html(status: number, text: string): FormAnswer {
  return {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": PAGE_POLICY },
    body: text,
  };
}

function plain(status: number, text: string): FormAnswer {
  return answer(status, "text/plain; charset=utf-8", `${text}\n`);
}

function refused(allowed: string): FormAnswer {
  return {
    status: 405,
    headers: { "Content-Type": "text/plain; charset=utf-8", Allow: allowed },
    body: "Method not allowed\n",
  };
}

function answer(status: number, type: string, body: string): FormAnswer {
  return { status, headers: { "Content-Type": type }, body };
}
