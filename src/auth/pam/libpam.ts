/** One conversation with PAM, by foreign function calls. @see pam(3) */

import { cString, mayUsePointers, openSystemLibrary } from "../../system_library.ts";

const CALLS = {
  pam_start: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32" },
  pam_end: { parameters: ["pointer", "i32"], result: "i32" },
  pam_strerror: { parameters: ["pointer", "i32"], result: "pointer" },
  set_text: { name: "pam_set_item", parameters: ["pointer", "i32", "buffer"], result: "i32" },
  set_call: { name: "pam_set_item", parameters: ["pointer", "i32", "function"], result: "i32" },
  // Off the main thread: modules ask servers, compute hashes, run programs.
  pam_authenticate: { parameters: ["pointer", "i32"], result: "i32", nonblocking: true },
  pam_acct_mgmt: { parameters: ["pointer", "i32"], result: "i32", nonblocking: true },
} as const;

const MEMORY = {
  calloc: { parameters: ["usize", "usize"], result: "pointer" },
  free: { parameters: ["pointer"], result: "void" },
} as const;

const CONVERSATION = {
  parameters: ["i32", "pointer", "pointer", "pointer"],
  result: "i32",
} as const;
const FAIL_DELAY = { parameters: ["i32", "u32", "pointer"], result: "void" } as const;

const SUCCESS = 0;
const CONVERSATION_ERROR = 19;

const TTY = 3;
const REMOTE_HOST = 4;
const FAIL_DELAY_ITEM = 10;

/** PAM_SILENT and PAM_DISALLOW_NULL_AUTHTOK. */
const FLAGS = 0x8001;

/** Style of a message that asks for what must not be shown. */
const PROMPT_ECHO_OFF = 1;
/** Styles that want no answer. */
const ERROR_MESSAGE = 3;
const TEXT_MESSAGE = 4;

/** Octets of `struct pam_response`: a pointer, and an integer with what aligns it. */
const RESPONSE = 16;

/** How a conversation ended. */
export interface PamOutcome {
  /** One of PAM's return codes; 0 is success. */
  readonly code: number;
  /** What PAM says of the code. */
  readonly text: string;
  /** Milliseconds that the modules want a failure to take. */
  readonly delay: number;
}

export interface PamRequest {
  /** Name of the file in /etc/pam.d. */
  readonly service: string;
  readonly username: string;
  readonly password: string;
  /** The client's address; absent for a local one. */
  readonly remoteHost?: string;
}

/** libpam, and the C library whose memory it wants the answers in. */
export class LibPam {
  readonly #pam: Deno.DynamicLibrary<typeof CALLS>;
  readonly #libc: Deno.DynamicLibrary<typeof MEMORY>;

  private constructor(
    pam: Deno.DynamicLibrary<typeof CALLS>,
    libc: Deno.DynamicLibrary<typeof MEMORY>,
  ) {
    this.#pam = pam;
    this.#libc = libc;
  }

  /** @throws {Error} where there is none, or it may not be called */
  static open(): LibPam {
    if (!mayUsePointers()) throw new Error("pam: needs --allow-ffi without a list of libraries");
    const pam = openSystemLibrary("libpam.so.0", CALLS);
    const libc = openSystemLibrary("libc.so.6", MEMORY);
    if (pam !== undefined && libc !== undefined) return new LibPam(pam, libc);
    pam?.close();
    libc?.close();
    throw new Error("pam: cannot open libpam.so.0: is PAM installed, and may it be called?");
  }

  /** Only when no conversation is under way. */
  close(): void {
    this.#pam.close();
    this.#libc.close();
  }

  /** Authenticates the user, then asks whether the account may be used. */
  async authenticate(request: PamRequest): Promise<PamOutcome> {
    let delay = 0;
    const converse = new Deno.UnsafeCallback(
      CONVERSATION,
      (count, messages, responses) => this.#answer(count, messages, responses, request.password),
    );
    // Without a function of ours libpam would sleep itself, and hold one of few threads.
    const failDelay = new Deno.UnsafeCallback(FAIL_DELAY, (_code, microseconds) => {
      delay = microseconds / 1000;
    });
    try {
      const { code, text } = await this.#run(request, converse.pointer, failDelay.pointer);
      return { code, text, delay: code === SUCCESS ? 0 : delay };
    } finally {
      converse.close();
      failDelay.close();
    }
  }

  async #run(
    { service, username, remoteHost }: PamRequest,
    converse: Deno.PointerObject,
    failDelay: Deno.PointerObject,
  ): Promise<{ code: number; text: string }> {
    const { symbols } = this.#pam;
    const handle = new BigUint64Array(1);
    const conversation = new BigUint64Array([Deno.UnsafePointer.value(converse), 0n]);
    const started = symbols.pam_start(
      cString(service),
      cString(username),
      new Uint8Array(conversation.buffer),
      new Uint8Array(handle.buffer),
    );
    if (started !== SUCCESS) return { code: started, text: this.#textOf(null, started) };
    const pam = Deno.UnsafePointer.create(handle[0]);
    symbols.set_call(pam, FAIL_DELAY_ITEM, failDelay);
    symbols.set_text(pam, TTY, cString("imapd"));
    if (remoteHost !== undefined) symbols.set_text(pam, REMOTE_HOST, cString(remoteHost));
    let code = await symbols.pam_authenticate(pam, FLAGS);
    if (code === SUCCESS) code = await symbols.pam_acct_mgmt(pam, FLAGS);
    const text = this.#textOf(pam, code);
    symbols.pam_end(pam, code);
    return { code, text };
  }

  #textOf(pam: Deno.PointerValue, code: number): string {
    const text = this.#pam.symbols.pam_strerror(pam, code);
    return text === null ? `error ${code}` : Deno.UnsafePointerView.getCString(text);
  }

  /**
   * Answers a module's messages: the password where one is asked for unseen, nothing to what only
   * informs. Anything else is a question that nobody is there for. libpam frees the answers.
   */
  #answer(
    count: number,
    messages: Deno.PointerValue,
    responses: Deno.PointerValue,
    password: string,
  ): number {
    const styles = stylesOf(count, messages);
    const answerable = styles.every((style) =>
      style === PROMPT_ECHO_OFF || style === ERROR_MESSAGE || style === TEXT_MESSAGE
    );
    const array = answerable && responses !== null && styles.length > 0
      ? this.#allocate(RESPONSE * styles.length)
      : undefined;
    if (array === undefined || responses === null) return CONVERSATION_ERROR;
    const view = new DataView(array.bytes);
    for (const [i, style] of styles.entries()) {
      if (style !== PROMPT_ECHO_OFF) continue;
      const text = cString(password);
      const copy = this.#allocate(text.length);
      if (copy === undefined) return CONVERSATION_ERROR;
      new Uint8Array(copy.bytes).set(text);
      view.setBigUint64(RESPONSE * i, Deno.UnsafePointer.value(copy.pointer), true);
    }
    const out = new DataView(Deno.UnsafePointerView.getArrayBuffer(responses, 8));
    out.setBigUint64(0, Deno.UnsafePointer.value(array.pointer), true);
    return SUCCESS;
  }

  /** Memory full of zeros, which somebody else frees. */
  #allocate(size: number): { pointer: Deno.PointerObject; bytes: ArrayBuffer } | undefined {
    const pointer = this.#libc.symbols.calloc(1n, BigInt(size));
    if (pointer === null) return undefined;
    return { pointer, bytes: Deno.UnsafePointerView.getArrayBuffer(pointer, size) };
  }
}

/** The styles of `count` messages; `messages` points to pointers to `struct pam_message`. */
function stylesOf(count: number, messages: Deno.PointerValue): number[] {
  if (messages === null) return [];
  const view = new Deno.UnsafePointerView(messages);
  return Array.from({ length: count }, (_, i) => {
    const message = view.getPointer(8 * i);
    return message === null ? 0 : new Deno.UnsafePointerView(message).getInt32(0);
  });
}
