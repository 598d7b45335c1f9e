/** The loader `file`, and how all loaders look at files. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type CertificateOptions, type Certificates, CertificateSet } from "./certificate_set.ts";
import { type CertificateFiles, readPair, unreadable } from "./pair.ts";

/**
 * Certificates from files. Changed files are loaded within seconds; if they are faulty, the log
 * says so and the old certificates stay.
 *
 * @param files at least one
 * @throws {PairFault} when a file cannot be read, or a key does not belong to its certificate
 */
export function fileCertificates(
  files: readonly CertificateFiles[],
  options: CertificateOptions,
): Certificates {
  return new CertificateSet({
    version: () => files.map(versionOf).join(),
    load: () => files.map(readPair),
  }, options);
}

/** @throws {PairFault} when a file cannot be read */
function versionOf(files: CertificateFiles): string {
  return (["cert", "key"] as const).map((file) => {
    const version = fileVersion(files[file]);
    if (typeof version === "string") return version;
    throw unreadable(file, files[file], version);
  }).join();
}

/**
 * What differs after a file was written or replaced; an error when it cannot be read. It is of the
 * content: the times of a file stand still for some ms, and its size may stay.
 */
export function fileVersion(path: string): string | Error {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("base64");
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
