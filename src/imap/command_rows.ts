/** The table of commands. */

import { appendArgs, replaceArgs } from "../wire/append_grammar.ts";
import {
  authenticateArgs,
  compressArgs,
  copyArgs,
  createArgs,
  enableArgs,
  fetchArgs,
  idArgs,
  loginArgs,
  mailboxArgs,
  noArgs,
  renameArgs,
  storeArgs,
  uidExpungeArgs,
} from "../wire/command_grammar.ts";
import { esearchArgs } from "../wire/esearch_grammar.ts";
import { listArgs, lsubArgs, statusArgs } from "../wire/list_grammar.ts";
import { getQuotaArgs, setQuotaArgs } from "../wire/quota_grammar.ts";
import { notifyArgs } from "../wire/notify_grammar.ts";
import { Scanner } from "../wire/scanner.ts";
import { getMetadataArgs, setMetadataArgs } from "../wire/metadata_grammar.ts";
import { cancelUpdateArgs } from "../wire/return_options.ts";
import { searchArgs } from "../wire/search_grammar.ts";
import { sortArgs, threadArgs } from "../wire/sort_grammar.ts";
import { selectArgs } from "../wire/select_grammar.ts";
import { uidBatchesArgs } from "../wire/uid_batches_grammar.ts";
import type { Completion } from "../wire/response.ts";
import type { CommandRow, CommandState, Context, ContextByState } from "./command.ts";
import { announcedMessage, announcedReplacement, append, replace } from "./commands/append.ts";
import { authenticate, login } from "./commands/authenticate.ts";
import {
  capability,
  compress,
  enable,
  id,
  logout,
  noop,
  startTls,
  unauthenticate,
} from "./commands/connection.ts";
import { esearch } from "./commands/esearch.ts";
import { fetch } from "./commands/fetch.ts";
import { idle } from "./commands/idle.ts";
import { list, lsub, status } from "./commands/list.ts";
import { create, namespace, remove, rename, subscribe, unsubscribe } from "./commands/mailboxes.ts";
import { getMetadata, setMetadata } from "./commands/metadata.ts";
import { copy, expunge, move, store, uidExpunge } from "./commands/messages.ts";
import { getQuota, getQuotaRoot, setQuota } from "./commands/quota.ts";
import { notify } from "./commands/notify.ts";
import { search } from "./commands/search.ts";
import { sort, thread } from "./commands/sort.ts";
import { close, select, unselect } from "./commands/select.ts";
import { uidBatches } from "./commands/uid_batches.ts";
import { cancelUpdate } from "./result_contexts.ts";
import { LIST_FORM, XLIST_FORM } from "./list_response.ts";

/** A row whose parser and handler were paired, so that only the context is left to give. */
export interface RunnableRow<State extends CommandState>
  extends Omit<CommandRow<State, unknown>, "parse" | "run"> {
  readonly execute: (
    scanner: Scanner,
    context: ContextByState[State],
  ) => Promise<Completion> | Completion;
}

/** `state` tells which context `execute` wants. */
export type AnyRow = { [State in CommandState]: RunnableRow<State> }[CommandState];

function command<State extends CommandState, Args>(
  name: string,
  { parse, run, ...row }: CommandRow<State, Args>,
): readonly [string, RunnableRow<State>] {
  return [name, { ...row, execute: (scanner, context) => run(context, parse(scanner)) }];
}

const BOTH_FORMS = [false, true] as const;

/** A command and its UID form, which share all but the name and what numbers mean. */
function withUidForm<Args>(
  name: string,
  row: Omit<CommandRow<"selected", Args>, "byUid" | "mayExpunge" | "sequenceNumbers">,
  mayExpunge: { readonly bySequence: boolean },
): (readonly [string, RunnableRow<"selected">])[] {
  return BOTH_FORMS.map((byUid) =>
    command(byUid ? `UID ${name}` : name, {
      ...row,
      byUid,
      sequenceNumbers: !byUid,
      mayExpunge: byUid || mayExpunge.bySequence,
    })
  );
}

/** While numbers are in use they must hold still. @see RFC 9051 §7.5.1 */
const NUMBERS_HOLD = { bySequence: false } as const;

/**
 * Every command with all that generic code needs to know of it.
 *
 * @param capabilities what a connection may use now, which some commands tell
 */
export function commandRows(
  capabilities: (context: Context) => readonly string[],
): readonly (readonly [string, AnyRow])[] {
  return [
    command("CAPABILITY", {
      state: "any",
      parse: noArgs,
      run: capability(capabilities),
      rfc: "RFC 9051 §6.1.1",
      mayExpunge: true,
    }),
    command("NOOP", {
      state: "any",
      parse: noArgs,
      run: noop,
      rfc: "RFC 9051 §6.1.2",
      mayExpunge: true,
    }),
    command("LOGOUT", {
      state: "any",
      parse: noArgs,
      run: logout,
      rfc: "RFC 9051 §6.1.3",
      mayExpunge: false,
    }),
    command("ID", {
      state: "any",
      parse: idArgs,
      run: id(capabilities),
      rfc: "RFC 2971 §3.1",
      capability: "ID",
      mayExpunge: true,
    }),
    command("STARTTLS", {
      state: "not-authenticated",
      parse: noArgs,
      run: startTls,
      rfc: "RFC 9051 §6.2.1",
      mayExpunge: false,
    }),
    command("AUTHENTICATE", {
      state: "not-authenticated",
      parse: authenticateArgs,
      run: authenticate(capabilities),
      rfc: "RFC 9051 §6.2.2",
      capability: "SASL-IR",
      mayExpunge: false,
      secret: true,
    }),
    command("LOGIN", {
      state: "not-authenticated",
      parse: loginArgs,
      run: login(capabilities),
      rfc: "RFC 9051 §6.2.3",
      mayExpunge: false,
      secret: true,
    }),
    command("ENABLE", {
      state: "authenticated",
      parse: enableArgs,
      run: enable,
      rfc: "RFC 5161 §3.1",
      capability: "ENABLE",
      mayExpunge: true,
    }),
    command("COMPRESS", {
      state: "authenticated",
      parse: compressArgs,
      run: compress,
      rfc: "RFC 4978 §3",
      capability: "COMPRESS=DEFLATE",
      mayExpunge: true,
    }),
    command("UNAUTHENTICATE", {
      state: "authenticated",
      parse: noArgs,
      run: unauthenticate(capabilities),
      rfc: "RFC 8437 §3",
      capability: "UNAUTHENTICATE",
      mayExpunge: false,
    }),
    command("SELECT", {
      state: "authenticated",
      parse: selectArgs,
      run: select(false),
      rfc: "RFC 9051 §6.3.2",
      mayExpunge: true,
    }),
    command("EXAMINE", {
      state: "authenticated",
      parse: selectArgs,
      run: select(true),
      rfc: "RFC 9051 §6.3.3",
      mayExpunge: true,
    }),
    command("CREATE", {
      state: "authenticated",
      parse: createArgs,
      run: create,
      rfc: "RFC 9051 §6.3.4",
      capability: "CREATE-SPECIAL-USE",
      mayExpunge: true,
    }),
    command("DELETE", {
      state: "authenticated",
      parse: mailboxArgs,
      run: remove,
      rfc: "RFC 9051 §6.3.5",
      mayExpunge: true,
    }),
    command("RENAME", {
      state: "authenticated",
      parse: renameArgs,
      run: rename,
      rfc: "RFC 9051 §6.3.6",
      mayExpunge: true,
    }),
    command("SUBSCRIBE", {
      state: "authenticated",
      parse: mailboxArgs,
      run: subscribe,
      rfc: "RFC 9051 §6.3.7",
      mayExpunge: true,
    }),
    command("UNSUBSCRIBE", {
      state: "authenticated",
      parse: mailboxArgs,
      run: unsubscribe,
      rfc: "RFC 9051 §6.3.8",
      mayExpunge: true,
    }),
    command("LIST", {
      state: "authenticated",
      parse: listArgs,
      run: list(LIST_FORM),
      rfc: "RFC 9051 §6.3.9",
      capability: ["LIST-EXTENDED", "LIST-STATUS", "LIST-METADATA", "CHILDREN", "SPECIAL-USE"],
      mayExpunge: true,
    }),
    command("XLIST", {
      state: "authenticated",
      parse: listArgs,
      run: list(XLIST_FORM),
      rfc: "RFC 6154 §1",
      mayExpunge: true,
    }),
    command("LSUB", {
      state: "authenticated",
      parse: lsubArgs,
      run: lsub,
      rfc: "RFC 3501 §6.3.9",
      mayExpunge: true,
    }),
    command("STATUS", {
      state: "authenticated",
      parse: statusArgs,
      run: status,
      rfc: "RFC 9051 §6.3.11",
      mayExpunge: true,
    }),
    command("NAMESPACE", {
      state: "authenticated",
      parse: noArgs,
      run: namespace,
      rfc: "RFC 2342 §5",
      capability: "NAMESPACE",
      mayExpunge: true,
    }),
    command("GETMETADATA", {
      state: "authenticated",
      parse: getMetadataArgs,
      run: getMetadata,
      rfc: "RFC 5464 §4.2",
      capability: "METADATA",
      mayExpunge: true,
    }),
    command("SETMETADATA", {
      state: "authenticated",
      parse: setMetadataArgs,
      run: setMetadata,
      rfc: "RFC 5464 §4.3",
      capability: "METADATA",
      mayExpunge: true,
    }),
    command("GETQUOTA", {
      state: "authenticated",
      parse: getQuotaArgs,
      run: getQuota,
      rfc: "RFC 9208 §4.1.1",
      capability: "QUOTA",
      mayExpunge: true,
    }),
    command("GETQUOTAROOT", {
      state: "authenticated",
      parse: mailboxArgs,
      run: getQuotaRoot,
      rfc: "RFC 9208 §4.1.2",
      capability: "QUOTA",
      mayExpunge: true,
    }),
    command("SETQUOTA", {
      state: "authenticated",
      parse: setQuotaArgs,
      run: setQuota,
      rfc: "RFC 9208 §4.1.3",
      capability: "QUOTASET",
      mayExpunge: true,
    }),
    command("APPEND", {
      state: "authenticated",
      parse: appendArgs,
      run: append,
      rfc: "RFC 9051 §6.3.12",
      capability: ["CATENATE", "MULTIAPPEND", "URL-PARTIAL"],
      mayExpunge: true,
      literal: announcedMessage,
    }),
    command("IDLE", {
      state: "authenticated",
      parse: noArgs,
      run: idle,
      rfc: "RFC 9051 §6.3.13",
      capability: "IDLE",
      mayExpunge: true,
      lasting: true,
    }),
    command("NOTIFY", {
      state: "authenticated",
      parse: notifyArgs,
      run: notify,
      rfc: "RFC 5465 §3.1",
      capability: "NOTIFY",
      mayExpunge: true,
    }),
    command("ESEARCH", {
      state: "authenticated",
      parse: esearchArgs,
      run: esearch,
      rfc: "RFC 7377 §2",
      capability: "MULTISEARCH",
      mayExpunge: true,
    }),
    command("CHECK", {
      state: "selected",
      parse: noArgs,
      run: noop,
      rfc: "RFC 3501 §6.4.1",
      mayExpunge: true,
    }),
    command("CLOSE", {
      state: "selected",
      parse: noArgs,
      run: close,
      rfc: "RFC 9051 §6.4.1",
      mayExpunge: false,
    }),
    command("UNSELECT", {
      state: "selected",
      parse: noArgs,
      run: unselect,
      rfc: "RFC 3691 §2",
      capability: "UNSELECT",
      mayExpunge: false,
    }),
    command("EXPUNGE", {
      state: "selected",
      parse: noArgs,
      run: expunge,
      rfc: "RFC 9051 §6.4.3",
      mayExpunge: true,
      removes: true,
    }),
    command("UID EXPUNGE", {
      state: "selected",
      parse: uidExpungeArgs,
      run: uidExpunge,
      rfc: "RFC 4315 §2.1",
      capability: "UIDPLUS",
      byUid: true,
      mayExpunge: true,
      removes: true,
    }),
    command("CANCELUPDATE", {
      state: "selected",
      parse: cancelUpdateArgs,
      run: cancelUpdate,
      rfc: "RFC 5267 §4.3.5",
      capability: "CONTEXT=SEARCH",
      mayExpunge: true,
    }),
    command("UIDBATCHES", {
      state: "selected",
      parse: uidBatchesArgs,
      run: uidBatches,
      rfc: "RFC 10022 §3.1",
      capability: "UIDBATCHES",
      mayExpunge: true,
    }),
    ...withUidForm("SEARCH", {
      state: "selected",
      parse: searchArgs,
      run: search,
      rfc: "RFC 9051 §6.4.4",
    }, NUMBERS_HOLD),
    ...withUidForm("SORT", {
      state: "selected",
      parse: sortArgs,
      run: sort,
      rfc: "RFC 5256 §3",
      capability: ["SORT", "ESORT", "CONTEXT=SORT", "I18NLEVEL=1"],
    }, NUMBERS_HOLD),
    ...withUidForm("THREAD", {
      state: "selected",
      parse: threadArgs,
      run: thread,
      rfc: "RFC 5256 §3",
    }, NUMBERS_HOLD),
    ...withUidForm("FETCH", {
      state: "selected",
      parse: fetchArgs,
      run: fetch,
      rfc: "RFC 9051 §6.4.5",
    }, NUMBERS_HOLD),
    ...withUidForm("STORE", {
      state: "selected",
      parse: storeArgs,
      run: store,
      rfc: "RFC 9051 §6.4.6",
      capability: "CONDSTORE",
    }, NUMBERS_HOLD),
    ...withUidForm("COPY", {
      state: "selected",
      parse: copyArgs,
      run: copy,
      rfc: "RFC 9051 §6.4.7",
    }, { bySequence: true }),
    ...withUidForm("MOVE", {
      state: "selected",
      parse: copyArgs,
      run: move,
      rfc: "RFC 6851 §3",
      capability: "MOVE",
      removes: true,
    }, { bySequence: true }),
    ...withUidForm("REPLACE", {
      state: "selected",
      parse: replaceArgs,
      run: replace,
      rfc: "RFC 8508 §4",
      capability: "REPLACE",
      removes: true,
      literal: announcedReplacement,
    }, { bySequence: true }),
  ];
}
