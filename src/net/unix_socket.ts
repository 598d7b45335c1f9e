/** The file of a unix socket: who may have it, and what becomes of an old one. */

import { connect } from "node:net";
import { dirname } from "node:path";
import { LONGEST_UNIX_PATH } from "./libc.ts";
import { cannotOpen, type UnixAddress } from "./listen_address.ts";

/**
 * Removes the socket that a server left which did not end well.
 *
 * @throws {ListenError} when a program listens there, or something else has the path
 */
export async function clearPath(address: UnixAddress): Promise<void> {
  const { path } = address;
  if (new TextEncoder().encode(path).length > LONGEST_UNIX_PATH) {
    cannotOpen(address, `a unix socket's path has at most ${LONGEST_UNIX_PATH} octets`);
  }
  const found = await Deno.lstat(path).catch(() => undefined);
  if (found === undefined) {
    const folder = await Deno.stat(dirname(path)).catch(() => undefined);
    if (!folder?.isDirectory) cannotOpen(address, `there is no folder ${dirname(path)}`);
    return;
  }
  if (!found.isSocket) cannotOpen(address, "there is something else than a socket");
  if (await isAlive(path)) cannotOpen(address, "another program listens there");
  try {
    await Deno.remove(path);
  } catch (error) {
    cannotOpen(address, `the old socket cannot be removed: ${reasonOf(error)}`, error);
  }
}

/** Whether somebody listens; one that cannot be asked is taken to be alive. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

/** Sets what the config says. @throws {ListenError} when it cannot be done */
export async function setPermissions(address: UnixAddress): Promise<void> {
  const { path, mode, owner, group } = address;
  const uid = await numberOf(address, owner, "/etc/passwd", "user");
  const gid = await numberOf(address, group, "/etc/group", "group");
  try {
    if (uid !== undefined || gid !== undefined) await Deno.chown(path, uid ?? null, gid ?? null);
    if (mode !== undefined) await Deno.chmod(path, mode);
  } catch (error) {
    cannotOpen(address, `its mode, owner and group cannot be set: ${reasonOf(error)}`, error);
  }
}

/** The number of a user or group, which stands in the third field of its line. */
async function numberOf(
  address: UnixAddress,
  name: string | undefined,
  file: string,
  what: string,
): Promise<number | undefined> {
  if (name === undefined) return undefined;
  if (/^\d{1,10}$/.test(name)) return Number(name);
  const lines = (await Deno.readTextFile(file).catch(() => "")).split("\n");
  const fields = lines.map((line) => line.split(":")).find(([first]) => first === name);
  if (fields === undefined) cannotOpen(address, `${file} has no ${what} ${name}`);
  return Number(fields[2]);
}

/** What tells one socket file from another that took its path. */
export async function identityOf(path: string): Promise<number | undefined> {
  return (await Deno.lstat(path).catch(() => undefined))?.ino ?? undefined;
}

/** Removes the file if it is still the same one. */
export async function removeSocket(path: string, identity: number | undefined): Promise<void> {
  if (identity === undefined || await identityOf(path) !== identity) return;
  await Deno.remove(path).catch(() => {});
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
