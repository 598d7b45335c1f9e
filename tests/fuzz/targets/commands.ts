/** The parser of each command, and valid commands for it. */

import {
  appendArgs,
  appendPrefix,
  replaceArgs,
  replacePrefix,
} from "../../../src/wire/append_grammar.ts";
import * as command from "../../../src/wire/command_grammar.ts";
import { esearchArgs } from "../../../src/wire/esearch_grammar.ts";
import { listArgs, lsubArgs, statusArgs } from "../../../src/wire/list_grammar.ts";
import { getMetadataArgs, setMetadataArgs } from "../../../src/wire/metadata_grammar.ts";
import { notifyArgs } from "../../../src/wire/notify_grammar.ts";
import { getQuotaArgs, setQuotaArgs } from "../../../src/wire/quota_grammar.ts";
import { cancelUpdateArgs } from "../../../src/wire/return_options.ts";
import type { Scanner } from "../../../src/wire/scanner.ts";
import { searchArgs } from "../../../src/wire/search_grammar.ts";
import { selectArgs } from "../../../src/wire/select_grammar.ts";
import { sortArgs, threadArgs } from "../../../src/wire/sort_grammar.ts";
import { uidBatchesArgs } from "../../../src/wire/uid_batches_grammar.ts";

export type Parser = (s: Scanner) => unknown;

/** Commands by what reads their arguments. */
const NAMES: readonly (readonly [Parser, string])[] = [
  [command.noArgs, "CAPABILITY NOOP LOGOUT STARTTLS UNAUTHENTICATE NAMESPACE IDLE CHECK CLOSE"],
  [command.noArgs, "UNSELECT EXPUNGE"],
  [command.idArgs, "ID"],
  [command.enableArgs, "ENABLE"],
  [command.compressArgs, "COMPRESS"],
  [command.loginArgs, "LOGIN"],
  [command.authenticateArgs, "AUTHENTICATE"],
  [selectArgs, "SELECT EXAMINE"],
  [command.createArgs, "CREATE"],
  [command.mailboxArgs, "DELETE SUBSCRIBE UNSUBSCRIBE GETQUOTAROOT"],
  [command.renameArgs, "RENAME"],
  [listArgs, "LIST XLIST"],
  [lsubArgs, "LSUB"],
  [statusArgs, "STATUS"],
  [getMetadataArgs, "GETMETADATA"],
  [setMetadataArgs, "SETMETADATA"],
  [getQuotaArgs, "GETQUOTA"],
  [setQuotaArgs, "SETQUOTA"],
  [appendArgs, "APPEND"],
  [notifyArgs, "NOTIFY"],
  [esearchArgs, "ESEARCH"],
  [cancelUpdateArgs, "CANCELUPDATE"],
  [uidBatchesArgs, "UIDBATCHES"],
];

/** Commands that have a UID form. */
const BOTH_NAMES: readonly (readonly [Parser, string])[] = [
  [searchArgs, "SEARCH"],
  [sortArgs, "SORT"],
  [threadArgs, "THREAD"],
  [command.fetchArgs, "FETCH"],
  [command.storeArgs, "STORE"],
  [command.copyArgs, "COPY"],
  [command.copyArgs, "MOVE"],
  [replaceArgs, "REPLACE"],
];

/** The parser of every command by its name. */
export const PARSERS: ReadonlyMap<string, Parser> = new Map([
  ...NAMES.flatMap(([parser, names]) => names.split(" ").map((name) => [name, parser] as const)),
  ...BOTH_NAMES.flatMap(([parser, name]) =>
    ["", "UID "].map((uid) => [`${uid}${name}`, parser] as const)
  ),
  ["UID EXPUNGE", command.uidExpungeArgs],
]);

/** Of commands whose literals are messages. */
export const PREFIXES: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["APPEND", appendPrefix],
  ["REPLACE", replacePrefix],
  ["UID REPLACE", replacePrefix],
]);

/** At least one valid command for each parser. */
export const VALID: readonly string[] = [
  "a NOOP",
  "a COMPRESS DEFLATE",
  'a CANCELUPDATE "a" "b"',
  "a UIDBATCHES 500 1:20",
  "a SEARCH RETURN (SAVE UPDATE PARTIAL -1:-100) $ FILTER x",
  'a ID ("name" "x" "os" NIL)',
  "a ENABLE CONDSTORE QRESYNC UTF8=ACCEPT",
  'a LOGIN {2+}\r\nme "pass\\"word"',
  "a AUTHENTICATE PLAIN AGEAYg==",
  "a AUTHENTICATE LOGIN =",
  "a SELECT INBOX (CONDSTORE)",
  "a EXAMINE INBOX (QRESYNC (67890007 20050715194045000 41,43:211 (1:3 41:43)))",
  "a CREATE a (USE (\\Drafts))",
  "a GETQUOTA #user/a",
  "a GETQUOTAROOT INBOX",
  "a SETQUOTA #user/a (STORAGE 510 MESSAGE 0)",
  "a GETMETADATA (MAXSIZE 5 DEPTH infinity) a (/private/comment /shared/x)",
  'a SETMETADATA "" (/private/comment "x" /shared/vendor/v/x NIL /private/y ~{2+}\r\n\0z)',
  'a LIST "" * RETURN (METADATA (/private/comment))',
  "a DELETE &U,BTFw-",
  'a RENAME a {3+}\r\n"b ',
  'a LIST (SUBSCRIBED RECURSIVEMATCH) "" (% "*") RETURN (CHILDREN STATUS (UNSEEN SIZE))',
  'a LIST (SPECIAL-USE REMOTE) "" % RETURN (SUBSCRIBED SPECIAL-USE)',
  'a XLIST "" %',
  'a LSUB "" *',
  "a STATUS INBOX (MESSAGES UIDNEXT DELETED DELETED-STORAGE HIGHESTMODSEQ MAILBOXID SIZE)",
  'a APPEND Sent (\\Seen $x) "17-Jul-1996 02:44:25 -0700" {5+}\r\nFrom:',
  "a APPEND b CATENATE (URL {2+}\r\n/c TEXT {1+}\r\nx UTF8 (~{1+}\r\ny)) (k) ~{2+}\r\n\0z",
  "a REPLACE 3 b (\\Draft) {2+}\r\nzz",
  "a UID REPLACE 3 b {2+}\r\nzz",
  "a STORE 1:3,7 (UNCHANGEDSINCE 12) +FLAGS.SILENT (\\Deleted k)",
  "a UID STORE $ -FLAGS \\Seen",
  "a COPY 1:* {1+}\r\nb",
  "a UID MOVE 2 c",
  "a UID EXPUNGE 4294967295,*:2",
  "a FETCH 1 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS.NOT (From {2+}\r\nTo)]<0.10>) (CHANGEDSINCE 1)",
  "a FETCH * FULL",
  "a UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE BODY[2.MIME] MODSEQ)",
  "a FETCH 1 (BINARY.PEEK[1.2]<3.4> BINARY.SIZE[1] PREVIEW (LAZY) EMAILID THREADID SAVEDATE)",
  "a UID FETCH 1:9 FLAGS (CHANGEDSINCE 3 VANISHED PARTIAL -1:-9)",
  'a SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (SEEN NOT FROM "\xc3\xa9") HEADER a {1+}\r\nb UID 1',
  "a SEARCH 1:3 SINCE 1-Feb-1994 LARGER 1 YOUNGER 60 KEYWORD k MODSEQ 9",
  'a SEARCH MODSEQ "/flags/\\\\draft" all 620162338 UIDAFTER 3 UIDBEFORE 9 SAVEDSINCE 1-Jan-2020',
  'a SEARCH FUZZY (SUBJECT "x" BODY y) EMAILID M1 THREADID T1 SENTON 2-Mar-2021 OLDER 9 UNKEYWORD z',
  "a SORT (REVERSE DATE SUBJECT ARRIVAL CC FROM SIZE TO DISPLAYFROM) UTF-8 ALL",
  "a UID SORT RETURN (PARTIAL 1:500 CONTEXT) (SUBJECT) US-ASCII UNSEEN",
  "a THREAD REFERENCES UTF-8 SUBJECT x",
  "a UID THREAD ORDEREDSUBJECT US-ASCII ALL",
  "a NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (inboxes (" +
  "MessageNew MessageExpunge)) (subtree (a b) (MailboxName SubscriptionChange))",
  "a NOTIFY NONE",
  "a ESEARCH IN (mailboxes (a b) subtree-one c personal inboxes) RETURN (COUNT ALL) UNSEEN",
];
