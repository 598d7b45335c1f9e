/** Checks who imports whom in `src/`: directions, cycles, barrels, names of files. */

/** One import of another file of the project. */
interface Import {
  /** Path from the project's folder, as in `src/wire/scanner.ts`. */
  readonly target: string;
  /** Erased by the compiler: `import type`, `export type`. */
  readonly typeOnly: boolean;
}

/** Whose files may import which others. The first row that fits a file is the one that counts. */
interface Direction {
  readonly from: RegExp;
  readonly to: readonly RegExp[];
  /** What may be imported as a type only: contracts, which name no implementation. */
  readonly types?: readonly RegExp[];
}

/** What builds the server. */
const APP = /^src\/app(\.ts$|\/)/;

/** Leaves that stand for themselves. */
const VERSION = /^src\/version\.ts$/;
const SUGGEST = /^src\/config\/suggest\.ts$/;
const PACE = /^src\/pace\.ts$/;
const LOOPBACK = /^src\/loopback\.ts$/;
const SYSTEM_LIBRARY = /^src\/system_library\.ts$/;
const OWNERSHIP = /^src\/ownership\.ts$/;
const DURABLE_FILE = /^src\/durable_file\.ts$/;
const DESCRIPTORS = /^src\/descriptors\.ts$/;
const NORMAL_FORM = /^src\/normal_form\.ts$/;
const LOG = /^src\/(log|log_format|metrics)\.ts$/;
const NAMES = /^src\/names\//;
const ADMIN = /^src\/admin\//;
/** How files of a Maildir are named, and what Dovecot's say; they know nothing of the store. */
const MAILDIR_NAMES = /^src\/store\/maildir\/(dovecot_files|file_name)\.ts$/;
const CONTRACTS = [
  /^src\/store\/(store|meter)\.ts$/,
  /^src\/auth\/auth\.ts$/,
  /^src\/tables\/table\.ts$/,
];

const DIRECTIONS: readonly Direction[] = [
  { from: /^main\.ts$/, to: [/^src\/(app|config|cli|log)\b/] },
  { from: APP, to: [/^src\//] },
  {
    from: /^src\/cli\//,
    to: [
      /^src\/(app|autoconfig|probe|cli|config|auth|tables|names|log|service_manager|admin|transfer|backup)\b/,
      VERSION,
    ],
  },
  // Operations know the contract of a store, and no driver
  {
    from: ADMIN,
    to: [ADMIN, /^src\/(store\/store\.ts$|imap\/|wire\/|message\/)/, PACE, SUGGEST, NORMAL_FORM],
    types: [/^src\/net\/session_info\.ts$/, /^src\/delivery\/delivery\.ts$/, LOG],
  },
  // What reads and writes the mail of other programs, for the command line
  {
    from: /^src\/transfer\//,
    to: [/^src\/(transfer|wire|message)\//, /^src\/store\/store\.ts$/, MAILDIR_NAMES, NORMAL_FORM],
    types: [ADMIN],
  },
  // Files of accounts and of the config, for the command line
  {
    from: /^src\/backup\//,
    to: [
      /^src\/backup\//,
      /^src\/admin\/operation\.ts$/,
      /^src\/transfer\/new_folder\.ts$/,
    ],
    types: [ADMIN, /^src\/store\/store\.ts$/, /^src\/config\/load\.ts$/],
  },
  {
    from: /^src\/monitoring\//,
    to: [/^src\/monitoring\//, /^src\/net\/ip_address\.ts$/, LOG],
    types: [
      /^src\/(imap|store)\/meter\.ts$/,
      /^src\/net\/(listener|session_info)\.ts$/,
      /^src\/auth\/auth\.ts$/,
    ],
  },
  { from: /^src\/control\//, to: [/^src\/control\//, ADMIN], types: [LOG] },
  { from: /^src\/version\.ts$/, to: [/^deno\.json$/] },
  { from: PACE, to: [LOOPBACK] },
  { from: LOOPBACK, to: [] },
  { from: SYSTEM_LIBRARY, to: [] },
  { from: OWNERSHIP, to: [] },
  { from: DESCRIPTORS, to: [] },
  { from: DURABLE_FILE, to: [] },
  { from: NORMAL_FORM, to: [] },
  { from: /^src\/datagrams\.ts$/, to: [] },
  {
    from: /^src\/(log|log_format|syslog|metrics)\.ts$/,
    to: [/^src\/(log|log_format|syslog|metrics|datagrams)\.ts$/],
  },
  { from: /^src\/service_manager\.ts$/, to: [/^src\/datagrams\.ts$/], types: [LOG] },
  { from: /^src\/wire\//, to: [/^src\/wire\//, NORMAL_FORM] },
  { from: /^src\/message\//, to: [/^src\/message\//, NORMAL_FORM] },
  { from: /^src\/config\//, to: [/^src\/config\//] },
  { from: NAMES, to: [NAMES, NORMAL_FORM] },
  { from: /^src\/tables\//, to: [/^src\/tables\//, NAMES, LOG, OWNERSHIP, DURABLE_FILE] },
  {
    from: /^src\/auth\/sasl\//,
    to: [/^src\/auth\/sasl\//, NAMES],
    types: [/^src\/auth\/auth\.ts$/],
  },
  {
    from: /^src\/auth\//,
    to: [/^src\/auth\//, /^src\/tables\/table\.ts$/, NAMES, LOG, SYSTEM_LIBRARY, DESCRIPTORS],
  },
  // Maildir++ names its folders in modified UTF-7
  {
    from: /^src\/store\/maildir\//,
    to: [
      /^src\/(store|message)\//,
      /^src\/wire\/mailbox_name\.ts$/,
      LOG,
      PACE,
      SYSTEM_LIBRARY,
      OWNERSHIP,
      DESCRIPTORS,
      NORMAL_FORM,
    ],
  },
  { from: /^src\/store\//, to: [/^src\/store\/[^/]+$/, /^src\/message\//, LOG, PACE] },
  { from: /^src\/imap\/dispatch\.ts$/, to: [...imapMayImport(), LOG] },
  { from: /^src\/imap\//, to: imapMayImport(), types: [LOG] },
  // Forms for mail programs; only their server knows sockets
  {
    from: /^src\/autoconfig\/server\.ts$/,
    to: [/^src\/autoconfig\//, /^src\/net\/secured\.ts$/, /^src\/monitoring\/http\.ts$/],
    types: [/^src\/net\/(endpoint|listener)\.ts$/, LOG],
  },
  { from: /^src\/autoconfig\//, to: [/^src\/autoconfig\//] },
  { from: /^src\/probe\//, to: [/^src\/probe\//] },
  // Certificates: what they are served by is net's contract
  {
    from: /^src\/tls\//,
    to: [/^src\/tls\//, LOG, DURABLE_FILE],
    types: [/^src\/net\/endpoint\.ts$/],
  },
  // Addresses to mailboxes, whatever keeps them
  {
    from: /^src\/delivery\//,
    to: [/^src\/delivery\//, /^src\/store\/store\.ts$/, NAMES, NORMAL_FORM],
    types: [LOG, ...CONTRACTS],
  },
  // How connections come in is net's
  {
    from: /^src\/lmtp\//,
    to: [/^src\/lmtp\//, /^src\/wire\/byte_queue\.ts$/, /^src\/net\/ip_address\.ts$/, PACE],
    types: [/^src\/delivery\//, /^src\/net\/listener\.ts$/, LOG],
  },
  {
    from: /^src\/net\//,
    to: [/^src\/(net|imap|wire)\//, LOG, PACE, SYSTEM_LIBRARY],
    types: CONTRACTS,
  },
];

function imapMayImport(): RegExp[] {
  return [
    /^src\/(imap|wire|message)\//,
    /^src\/store\/(store|changes)\.ts$/,
    /^src\/auth\/(auth\.ts$|sasl\/)/,
    PACE,
    NORMAL_FORM,
  ];
}

/** Drivers, and the modules beside them: files that only `app.ts` (and the CLI) may name. */
const CONCRETE: readonly { readonly driver: RegExp; readonly from: RegExp }[] = [
  {
    driver: /^src\/store\/(?!maildir\/(dovecot_files|file_name)\.ts)[^/]+\//,
    from: APP,
  },
  { driver: /^src\/store\/(sqlite|postgres)/, from: APP },
  {
    driver: /^src\/auth\/(?!auth\.ts|sasl\/|[a-z_]*worker\.ts)/,
    from: /^src\/(app\.ts|app\/|cli\/|auth\/)/,
  },
  { driver: /^src\/tls\//, from: /^src\/(app\/|tls\/)/ },
  { driver: /^src\/tables\/(?!table\.ts)/, from: /^src\/(app\.ts|app\/|cli\/|tables\/)/ },
];

const VAGUE_NAME = /\/(utils?|helpers?|tools?|misc|common)(_[a-z]+)?\.ts$/;

/**
 * Everything in `files` that is against the rules, one sentence each.
 *
 * @param files source texts of `main.ts` and all of `src/`, by path from the project's folder
 */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const graph = new Map<string, Import[]>();
  for (const [path, source] of files) {
    const imports = importsOf(path, source);
    graph.set(path, imports);
    faults.push(...directionFaults(path, imports), ...nameFaults(path, source));
    for (const { target } of imports) {
      if (!files.has(target) && isOurs(target)) {
        faults.push(`${path} imports ${target}: no such file`);
      }
    }
  }
  return [...faults, ...cycles(graph)];
}

function isOurs(path: string): boolean {
  return path === "main.ts" || path.startsWith("src/");
}

function directionFaults(path: string, imports: readonly Import[]): string[] {
  const direction = DIRECTIONS.find(({ from }) => from.test(path));
  if (!direction) return [`${path} has no row in the table of directions`];
  const faults: string[] = [];
  for (const { target, typeOnly } of imports) {
    const allowed = direction.to.some((pattern) => pattern.test(target)) ||
      typeOnly && direction.types?.some((pattern) => pattern.test(target));
    if (!allowed) faults.push(`${path} must not import ${target}`);
    const concrete = CONCRETE.find(({ driver }) => driver.test(target));
    const sameDriver = folder(path).startsWith(folder(target)) && folder(target) !== "src/store";
    if (concrete && !concrete.from.test(path) && !sameDriver) {
      faults.push(`${path} names the driver ${target}`);
    }
  }
  return faults;
}

function nameFaults(path: string, source: string): string[] {
  const faults: string[] = [];
  if (VAGUE_NAME.test(path)) faults.push(`${path} has a name that says nothing`);
  const text = withoutComments(source);
  if (/^export\s+(type\s+)?\*/m.test(text)) faults.push(`${path} is a barrel: export *`);
  const own = /^export\s+(?!type\s*\{|\{|\*)|^(async\s+)?(function|class|const|interface)\b/m;
  if (/^export\s+(type\s+)?\{[^}]*\}\s*from/m.test(text) && !own.test(text)) {
    faults.push(`${path} is a barrel: it only exports what others declare`);
  }
  return faults;
}

/** Imports and re-exports of files of the project, static and dynamic. */
function importsOf(path: string, source: string): Import[] {
  const text = withoutComments(source);
  const imports: Import[] = [];
  const statement = /\b(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]*?\sfrom\s*)?"(\.[^"]+)"/g;
  for (const [whole, type, specifier] of text.matchAll(statement)) {
    const typeOnly = type !== undefined || /\{(\s*type\s+\w+(\s+as\s+\w+)?\s*,?)+\s*\}/.test(whole);
    imports.push({ target: resolve(path, specifier), typeOnly });
  }
  const dynamic = /\bimport\(\s*"(\.[^"]+)"|\bnew URL\(\s*"(\.[^"]+\.ts)",\s*import\.meta\.url/g;
  for (const [, called, located] of text.matchAll(dynamic)) {
    imports.push({ target: resolve(path, called ?? located), typeOnly: false });
  }
  return imports;
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function folder(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Each cycle of imports once, as the files on it. What the compiler erases makes no cycle. */
function cycles(graph: ReadonlyMap<string, readonly Import[]>): string[] {
  const faults: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string) {
    const start = path.indexOf(file);
    if (start >= 0) {
      faults.push(`cycle: ${[...path.slice(start), file].join(" → ")}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(target);
    path.pop();
    done.add(file);
  }
  for (const file of graph.keys()) visit(file);
  return faults;
}
