/** Waits for what the loader `acme` does in the background. */

import type { Certificates } from "../../src/tls/certificate_set.ts";
import type { Folder } from "./fixture.ts";

/** Resolves when another certificate is in force; rejects when the log says that it was not issued. */
export function issued(certificates: Certificates, { lines }: Folder): Promise<void> {
  const from = lines.length;
  return new Promise((resolve, reject) => {
    const done = () => {
      unwatch();
      clearInterval(timer);
    };
    const unwatch = certificates.watch(() => {
      done();
      resolve();
    });
    const timer = setInterval(() => {
      const failure = lines.slice(from).find((line) => line.startsWith("error"));
      if (failure === undefined) return;
      done();
      reject(new Error(failure));
    }, 20);
  });
}
