const CR = 0x0d, LF = 0x0a;

/** Looks for octets above 127 in the header of a message while it comes in. */
export class HeaderOctets {
  #over = false;
  /** Octets of the line so far, without CR. */
  #line = 0;

  /** There is such an octet. */
  eightBit = false;

  /** Takes the next octets of the message. */
  push(octets: Uint8Array): void {
    for (let i = 0; i < octets.length && !this.#over; i++) {
      const octet = octets[i];
      if (octet === LF) {
        this.#over = this.#line === 0;
        this.#line = 0;
      } else if (octet > 127) {
        this.eightBit = true;
        this.#over = true;
      } else if (octet !== CR) {
        this.#line++;
      }
    }
  }
}
