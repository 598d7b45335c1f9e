/** How long a client may take over what it has begun to send. */

/** Octets a second that a client must bring if it is to be waited for on and on. */
const SLOWEST = 64;

/**
 * Milliseconds that are left to wait for more. Each octet wins time, so that a large message may
 * come over a slow line, but a trickle of octets does not keep a connection.
 *
 * @param patience milliseconds that were left before
 * @param waited milliseconds
 * @param octets that came meanwhile
 * @param most milliseconds without any octet
 */
export function patienceLeft(
  patience: number,
  waited: number,
  octets: number,
  most: number,
): number {
  return Math.min(most, Math.max(0, patience - waited + octets * 1000 / SLOWEST));
}
