/** The pieces in one array; no copy if only one has any bytes. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter((piece) => piece.length > 0);
  if (filled.length === 1) return filled[0];
  const joined = new Uint8Array(filled.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of filled) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
