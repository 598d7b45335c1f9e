/** Fetches a server's certificate, so that clients can check it instead of trusting any. */

import { Buffer } from "node:buffer";
import tls from "node:tls";

/** The certificate that a server shows, as PEM. */
export async function certificateOf(port: number): Promise<string> {
  const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    const base64 = Buffer.from(socket.getPeerCertificate().raw).toString("base64");
    const lines = base64.match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
  } finally {
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.destroy();
    });
  }
}
