/** Clients that speak something else. */

/**
 * What the first line of a connection is where it cannot be IMAP: a browser that was led here must
 * not have the rest of what it sends taken for commands.
 */
export function foreignProtocol(line: string): "HTTP" | "TLS" | undefined {
  if (/^[A-Z]{3,16} \S+ HTTP\//.test(line)) return "HTTP";
  // The head of a handshake record. @see RFC 8446 §5.1
  return line.startsWith("\x16\x03") ? "TLS" : undefined;
}
