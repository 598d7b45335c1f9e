import { SyntaxFault } from "../wire/scanner.ts";

/** A sequence number where a client enabled UIDONLY: becomes BAD [UIDREQUIRED]. @see RFC 9586 §3 */
export class UidRequired extends SyntaxFault {
  override readonly code = "UIDREQUIRED";

  constructor() {
    super("Message numbers are not used once UIDONLY is enabled", 0);
    this.name = "UidRequired";
  }
}
