/** Waiting in tests. */

/** How long a test waits before it fails; never what decides a test that passes. */
const PATIENCE_MS = 30_000;

/** Waits until `holds`. @throws {Error} that names `what` when it does not come */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`Waited for ${what}: it did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
