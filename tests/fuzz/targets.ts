/** All that is fuzzed. */

import type { FuzzTarget } from "./engine/target.ts";
import * as files from "./targets/files.ts";
import * as logins from "./targets/logins.ts";
import * as message from "./targets/message.ts";
import * as net from "./targets/net.ts";
import { server } from "./targets/server.ts";
import * as texts from "./targets/texts.ts";
import * as wire from "./targets/wire.ts";

/** Every target, each with a name of its own. */
export const TARGETS: readonly FuzzTarget[] = [
  wire.framer,
  wire.command,
  wire.imapUrl,
  wire.mailboxName,
  wire.listPattern,
  wire.numbers,
  wire.printed,
  message.mime,
  message.wireForm,
  message.search,
  message.binary,
  texts.header,
  texts.address,
  texts.date,
  texts.encodedWord,
  texts.parameters,
  texts.subject,
  texts.html,
  texts.decoding,
  texts.folding,
  texts.threads,
  logins.sasl,
  logins.dovecotReply,
  logins.ldapName,
  logins.passwordHash,
  logins.userName,
  net.proxy,
  net.inflation,
  net.lmtp,
  net.clientHello,
  files.config,
  files.table,
  files.maildirName,
  files.dovecotFiles,
  files.mbox,
  server,
];
