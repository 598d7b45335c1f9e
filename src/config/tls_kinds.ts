/** Kinds of values that only TLS has. */

import { isIP } from "node:net";
import { isHostname, path, string } from "./kinds.ts";
import { type Kind, wrong } from "./setting.ts";
import type { TomlValue } from "./toml.ts";

/** A setting that other servers have and this one cannot honour; what follows says why. */
export function refused(why: string): Kind<never> {
  const expected = `left out, because nobody can choose ${why}`;
  return {
    name: "nothing",
    expected,
    read: (value, key, reading) => wrong(reading, value, key, expected),
  };
}

/** `true`, and nothing else. */
export function agreement(): Kind<true> {
  const expected = "true, which says that you agree to the terms of service of the CA";
  return {
    name: "agreement",
    expected,
    read: (value, key, reading) =>
      value.type === "boolean" && value.value ? true : wrong(reading, value, key, expected),
  };
}

/** A DNS name or an IP address. */
export function nameOrAddress(): Kind<string> {
  const expected = 'a host name or an IP address, such as "mail.example.org"';
  return { ...string(expected, (text) => isIP(text) > 0 || isHostname(text)), name: "host" };
}

/** The URL of an ACME directory. */
export function directoryUrl(): Kind<string> {
  return {
    ...string(
      "the URL of an ACME directory with https://",
      (text) => text.startsWith("https://") && URL.canParse(text),
    ),
    name: "URL",
  };
}

/** An HMAC key in base64url; it is a secret, so that no fault shows it. */
export function base64urlKey(): Kind<string> {
  const expected = "a key in base64url";
  return {
    name: "key",
    expected,
    read(value, key, reading) {
      if (value.type === "string" && /^[A-Za-z0-9_-]{16,}=*$/.test(value.value)) {
        return value.value.replace(/=+$/, "");
      }
      return void reading.fault(value.at, `${key} must be ${expected}: got something else`);
    },
  };
}

/** `SCHEME://HOST:PORT` of one scheme. */
export function hostAndPort(scheme: "tcp" | "tls"): Kind<{ host: string; port: number }> {
  const expected = `"${scheme}://HOST:PORT"`;
  return {
    name: "address",
    expected,
    read: (value, key, reading) =>
      hostAndPortOf(value, scheme) ?? wrong(reading, value, key, expected),
  };
}

function hostAndPortOf(value: TomlValue, scheme: string) {
  if (value.type !== "string" || !value.value.startsWith(`${scheme}://`)) return undefined;
  const url = URL.parse(value.value);
  if (url === null || url.port === "" || url.href.slice(url.protocol.length + 2) !== url.host) {
    return undefined;
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) };
}

/** A path in which `{state_dir}` may stand. */
export function statePath(): Kind<string> {
  const expected = "a path, in which {state_dir} may stand";
  const plain = path();
  return {
    name: "path",
    expected,
    read(value, key, reading) {
      if (value.type !== "string" || /[{}]/.test(value.value.replaceAll("{state_dir}", ""))) {
        return wrong(reading, value, key, expected);
      }
      // A function, so that "$&" in the folder's name stays what it is.
      const filled = value.value.replaceAll("{state_dir}", () => reading.stateDir);
      return plain.read({ ...value, value: filled }, key, reading);
    },
  };
}
