/** What lies in SQLite's write-ahead log. @see https://www.sqlite.org/fileformat2.html#walformat */

const HEADER_OCTETS = 32;
const FRAME_HEADER_OCTETS = 24;
/** The lowest bit tells the order of octets that checksums are made with. */
const MAGIC = 0x377f0682;

/** A page as a commit left it. */
export interface LogFrame {
  /** From 1 on. */
  readonly page: number;
  readonly octets: Uint8Array;
}

type Checksum = readonly [number, number];

/** The frames of whole commits from the beginning of a log on, up to what is not as it was written. */
export function framesOf(log: Uint8Array): LogFrame[] {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  if (log.length < HEADER_OCTETS || (view.getUint32(0) & ~1) >>> 0 !== MAGIC) return [];
  const little = view.getUint32(0) === MAGIC;
  const size = view.getUint32(8);
  let sum = checksum(view, 0, 24, little, [0, 0]);
  if (!isAt(view, 24, sum)) return [];
  const frames: LogFrame[] = [];
  let whole = 0;
  for (let at = HEADER_OCTETS; at + FRAME_HEADER_OCTETS + size <= log.length;) {
    const text = at + FRAME_HEADER_OCTETS;
    const end = text + size;
    // The salts of the log, without which it is a frame of an older one.
    if (view.getUint32(at + 8) !== view.getUint32(16)) break;
    if (view.getUint32(at + 12) !== view.getUint32(20)) break;
    sum = checksum(view, text, end, little, checksum(view, at, at + 8, little, sum));
    if (!isAt(view, at + 16, sum)) break;
    frames.push({ page: view.getUint32(at), octets: log.subarray(text, end) });
    if (view.getUint32(at + 4) !== 0) whole = frames.length;
    at = end;
  }
  return frames.slice(0, whole);
}

function checksum(
  view: DataView,
  start: number,
  end: number,
  little: boolean,
  [first, second]: Checksum,
): Checksum {
  let [a, b] = [first, second];
  for (let at = start; at < end; at += 8) {
    a = (a + view.getUint32(at, little) + b) >>> 0;
    b = (b + view.getUint32(at + 4, little) + a) >>> 0;
  }
  return [a, b];
}

function isAt(view: DataView, at: number, [first, second]: Checksum): boolean {
  return view.getUint32(at) === first && view.getUint32(at + 4) === second;
}
