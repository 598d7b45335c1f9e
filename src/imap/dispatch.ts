/**
 * Runs one command: finds its row, checks the state, parses, runs, tells what changed, and
 * writes the tagged reply. The only place that writes tagged replies and maps errors to them.
 */

import { StoreError, type StoreErrorCode } from "../store/store.ts";
import { tag as parseTag } from "../wire/grammar.ts";
import {
  bad,
  badCharsetCode,
  type Completion,
  no,
  numberCode,
  type PlainCode,
  type ResponseCode,
  statusLine,
} from "../wire/response.ts";
import { decodeUtf8, LimitFault, type Literal, Scanner, SyntaxFault } from "../wire/scanner.ts";
import { ProgramTooLong, UnknownCharset } from "../wire/search_grammar.ts";
import {
  type AuthenticatedContext,
  type Context,
  type Dialogue,
  Disconnected,
  type Output,
  Refusal,
  type Service,
} from "./command.ts";
import { tellingProgress } from "./progress.ts";
import { forgetSaved } from "./searching.ts";
import type { Session } from "./session.ts";
import type { AnyRow } from "./command_rows.ts";
import { findCommand } from "./table.ts";
import { tellSelected } from "./tell_selected.ts";
import { UidRequired } from "./uid_required.ts";
import type { Log } from "../log.ts";

/** One whole command as the framer cut it. */
export interface Frame {
  readonly text: string;
  readonly literals: readonly Literal[];
}

/** What dispatch needs besides the frame. */
export interface Environment {
  readonly session: Session;
  readonly service: Service;
  readonly out: Output;
  readonly dialogue: Dialogue;
  readonly log: Log;
}

/** How the command ended, for the connection's limits. */
export interface Outcome {
  /** A BAD: unknown, malformed, or in the wrong state. */
  readonly bad: boolean;
}

/** Runs one command and writes its whole answer to `out`. @throws {Disconnected} */
export async function dispatch(frame: Frame, env: Environment): Promise<Outcome> {
  const { meter } = env.service;
  const started = meter.now();
  const scanner = new Scanner(frame.text, frame.literals);
  const tag = readTag(scanner);
  if (tag === undefined) {
    env.out.text(statusLine("*", "BAD", "Expected a tag, then a command"));
    return { bad: true };
  }
  const found = findCommand(scanner);
  const completion = found === undefined
    ? bad("Unknown command")
    : env.session.utf8 && decodeUtf8(frame.text) === undefined
    ? bad("Expected UTF-8")
    : await runRow(found.row, scanner, { ...env, tag, command: found.name });
  if (found !== undefined) await tellChanges(found.row, env);
  const code = codeOf(completion, env);
  env.out.text(statusLine(tag, completion.status, completion.text, code));
  const seconds = meter.now() - started;
  meter.command(found?.name, completion.status, found?.row.lasting ? undefined : seconds);
  env.log.debug("command", {
    command: found?.name ?? "unknown",
    status: completion.status,
    ms: Math.round(seconds * 1000),
  });
  return { bad: completion.status === "BAD" };
}

function readTag(scanner: Scanner): string | undefined {
  try {
    const tag = parseTag(scanner);
    scanner.take(" ");
    return tag;
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
}

async function runRow(row: AnyRow, scanner: Scanner, context: Context): Promise<Completion> {
  try {
    return await inState(row, scanner, context);
  } catch (error) {
    return failure(error, context);
  }
}

/** Runs a row with the context of its state, or says why not. @see RFC 9051 §3 */
function inState(
  row: AnyRow,
  scanner: Scanner,
  context: Context,
): Promise<Completion> | Completion {
  const { state } = context.session;
  if (row.state === "any") return row.execute(scanner, context);
  if (row.state === "not-authenticated") {
    return state.name === "not-authenticated"
      ? row.execute(scanner, context)
      : bad("Already logged in");
  }
  if (state.name !== "authenticated" && state.name !== "selected") return bad("Log in first");
  const { user } = state;
  if (row.lasting) return inSession(row, scanner, { ...context, user });
  return tellingProgress(context, () => inSession(row, scanner, { ...context, user }));
}

function inSession(
  row: Exclude<AnyRow, { readonly state: "any" | "not-authenticated" }>,
  scanner: Scanner,
  context: AuthenticatedContext,
): Promise<Completion> | Completion {
  const { state } = context.session;
  if (row.state === "authenticated") return row.execute(scanner, context);
  if (state.name !== "selected") return bad("No mailbox is selected");
  if (row.sequenceNumbers && context.session.uidOnly) {
    throw new UidRequired();
  }
  return row.execute(scanner, { ...context, view: state.view, byUid: row.byUid ?? false });
}

/** Sends what other sessions did, as far as this command allows it. */
function tellChanges(row: AnyRow, { session, out }: Environment): Promise<void> | undefined {
  session.metadataNews?.tell(out);
  return tellSelected(session, out, {
    expunges: row.mayExpunge,
    withUid: row.byUid ?? false,
    removed: row.removes ?? false,
  });
}

/** The code of the tagged reply. Where two are due, the one about what waits goes before it. */
function codeOf({ code }: Completion, { session, out }: Environment): ResponseCode | undefined {
  const waiting = waitingCode(session);
  if (code === undefined || waiting === undefined) return code ?? waiting;
  out.text(statusLine("*", "OK", "Not all changes were told", waiting));
  return code;
}

/**
 * While changes wait to be told, or are not told at all: MODSEQ that were told may be above theirs,
 * and the client must not believe that it knows all up to there. @see RFC 7162 §3.2
 */
function waitingCode({ state, qresync }: Session): ResponseCode | undefined {
  if (!qresync || state.name !== "selected" || !state.view.behind) return undefined;
  return numberCode("HIGHESTMODSEQ", state.view.toldModseq);
}

const STORE_CODES: Readonly<Record<StoreErrorCode, PlainCode | undefined>> = {
  "no-mailbox": "NONEXISTENT",
  "mailbox-exists": "ALREADYEXISTS",
  "bad-name": "CANNOT",
  "not-permitted": "CANNOT",
  "has-children": "HASCHILDREN",
  "too-big": "TOOBIG",
  "over-quota": "OVERQUOTA",
  "too-many": "LIMIT",
  "message-gone": "EXPUNGEISSUED",
  "unreadable": "CORRUPTION",
  "unavailable": "UNAVAILABLE",
};

/** The NO of a store's refusal. */
export function storeRefusal(error: StoreError): Completion {
  return no(error.message, STORE_CODES[error.code]);
}

function failure(error: unknown, { log, command, session }: Context): Completion {
  if (error instanceof Disconnected) throw error;
  if (error instanceof LimitFault) {
    if (error instanceof ProgramTooLong) forgetSaved(session, error.returns);
    return no(error.message, "LIMIT");
  }
  if (error instanceof SyntaxFault) return bad(error.message, error.code);
  if (error instanceof UnknownCharset) {
    forgetSaved(session, error.returns);
    return no(error.message, badCharsetCode(["US-ASCII", "UTF-8"]));
  }
  if (error instanceof Refusal) return no(error.message, error.code);
  if (error instanceof StoreError) {
    // The disk's doing; a quota that is used up is the user's.
    const full = error.code === "over-quota" && error.cause !== undefined;
    if (full || error.code === "unreadable" || error.code === "unavailable") {
      log.error("store failed", {
        command,
        error: error.message,
        cause: error.cause === undefined ? undefined : String(error.cause),
      });
    }
    return storeRefusal(error);
  }
  const id = crypto.randomUUID().slice(0, 8);
  log.bug(error, { id, command });
  return no(`Internal error, reported in the log as ${id}`, "SERVERBUG");
}
