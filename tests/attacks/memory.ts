/** Looks at a server's memory from outside. */

/** Resident memory of a process in octets. Linux only. */
export async function residentMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024;
}

export const MIB = 1 << 20;
