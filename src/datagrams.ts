/** Datagrams to the unix sockets of other programs. */

/** A way to send them. */
export interface Datagrams {
  /** @throws {Error} when nobody takes it */
  send(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** @param path of the receiver's socket; an `@` in front stands for an abstract one */
export function openDatagrams(path: string): Datagrams {
  const socket = bindAnywhere();
  const to = { transport: "unixpacket", path: path.replace(/^@/, "\0") } as const;
  return {
    async send(bytes) {
      await socket.send(bytes, to);
    },
    close: () => socket.close(),
  };
}

/** Deno sends datagrams only from a socket that has a path; nobody needs that path. */
function bindAnywhere(): Deno.DatagramConn {
  const dir = Deno.makeTempDirSync({ prefix: "imapd-" });
  try {
    return Deno.listenDatagram({ transport: "unixpacket", path: `${dir}/socket` });
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}
