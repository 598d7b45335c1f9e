/** Targets that read files: the config, tables, Maildirs, mboxes. */

import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../../../src/config/load.ts";
import { exampleConfig } from "../../../src/config/document.ts";
import { latin1FromBytes } from "../../../src/message/latin1.ts";
import {
  keywordsOf,
  parseKeywords,
  parseSubscriptions,
  parseUidList,
  parseUidValidity,
} from "../../../src/store/maildir/dovecot_files.ts";
import * as fileName from "../../../src/store/maildir/file_name.ts";
import {
  parseTable,
  TableSyntaxError,
  withEntry,
  withoutEntry,
} from "../../../src/tables/table_text.ts";
import { MboxSource } from "../../../src/transfer/mbox_source.ts";
import { SourceFault } from "../../../src/transfer/source.ts";
import { type FuzzTarget, pureTarget } from "../engine/target.ts";

const SMALL_CONFIG = `hostname = "mail.example.org"
state_dir = "/s"
runtime_dir = "/r"
log = ["stderr"]
[tls]
loader = "self_signed"
[[imap]]
listen = ["tcp://127.0.0.1:0", "tls://[::1]:993", "unix:///x"]
auth = "&users"
storage = { module = "maildir", path = "/m/{account}" }
limits = { line = "64 KiB", idle = "30m" }
[auth.users]
module = "pass_table"
table = { module = "file", path = "/u" }
`;

export const config = pureTarget({
  name: "config",
  seeds: [
    SMALL_CONFIG,
    exampleConfig(),
    exampleConfig().replace(/^# ?(?=[a-z_[])/gm, ""),
    "a = [1, {b = '''x\n'''}, 1979-05-27T07:32:00Z]\n[a.b]\n[[c]]\n[[c]]\n",
  ],
  sources: [
    "config/toml.ts",
    "config/load.ts",
    "config/kinds.ts",
    "config/addresses.ts",
    "config/modules.ts",
  ],
  tokens: [
    "[",
    "]",
    "[[",
    "]]",
    "=",
    ".",
    '"',
    "'",
    '"""',
    "'''",
    "{",
    "}",
    "#",
    "\\u0041",
    "\\",
    "\n",
    "\r\n",
    ",",
    "true",
    "1e400",
    "inf",
    "0x",
    "-",
    "_",
    "1979-05-27",
    "__proto__",
    "&",
    "\xef\xbb\xbf",
  ],
  longest: 16_000,
  slow: 4000,
  run(input) {
    // One that is 64 KB long takes its time in the reader of TOML, at the start of the program.
    const text = new TextDecoder().decode(input.subarray(0, 20_000));
    try {
      parseConfig(text, "/etc/imapd/c.toml");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      assert.ok(error.faults.length > 0);
      const lines = text.split(/\r\n|\n|\r/).length;
      for (const fault of error.faults) {
        const place = /^\/etc\/imapd\/c\.toml:(\d+):(\d+): [^]+$/.exec(fault);
        assert.ok(place !== null, `a fault without its place: ${fault}`);
        assert.ok(
          Number(place[1]) >= 1 && Number(place[1]) <= lines + 1 && Number(place[2]) >= 1,
          fault,
        );
      }
    }
  },
});

export const table = pureTarget({
  name: "table",
  seeds: ["ann: x\nbob: y, z\n# c\n\nann:w", "a", ": b", "a:b:c\r\nd : e\r\n"],
  sources: ["tables/table_text.ts"],
  tokens: [":", "\n", ", ", "#", " ", "\r\n", "ann"],
  longest: 1000,
  run(input) {
    const text = new TextDecoder().decode(input);
    if (text.length > 10_000) return;
    const read = (each: string) => {
      try {
        return parseTable(each);
      } catch (error) {
        if (!(error instanceof TableSyntaxError)) throw error;
        assert.ok(error.line >= 1 && error.line <= each.split("\n").length);
        return undefined;
      }
    };
    const before = read(text);
    if (before === undefined) return;
    const changed = read(withEntry(text, "ann", "new"));
    assert.deepEqual(changed, new Map([...before, ["ann", ["new"]]]));
    const without = new Map(before);
    without.delete("ann");
    assert.deepEqual(read(withoutEntry(text, "ann")), without);
  },
});

export const maildirName = pureTarget({
  name: "maildir-name",
  seeds: [
    "1767225600.M1P2Q3.host:2,FS",
    "1.a.h,S=10:2,abST,x",
    "x",
    ":2,",
    "a:1,S:2,S",
    "1_2.h:2,\xff",
  ],
  sources: ["store/maildir/file_name.ts"],
  tokens: [":2,", ":1,", ",", ".", "M1", "P2", "S", "T", "a", ",S=1", "/"],
  longest: 300,
  run(input) {
    const [file, other = ""] = latin1FromBytes(input).split("\n");
    const base = fileName.baseOf(file);
    for (const bits of [0, 31, fileName.flagBitsOf(file), input.length & 31]) {
      const named = fileName.withFlags(file, bits);
      assert.equal(fileName.baseOf(named), base);
      assert.equal(fileName.flagBitsOf(named), bits);
      assert.equal(fileName.withFlags(named, bits), named);
      const letters = (name: string) => fileName.lettersOf(name).replace(/[DFRST]/g, "");
      assert.deepEqual(new Set(letters(named)), new Set(letters(file)));
    }
    const plain = fileName.withoutKeywords(file);
    assert.equal(fileName.baseOf(plain), base);
    assert.doesNotMatch(fileName.lettersOf(plain), /[a-z]/);
    assert.equal(fileName.flagBitsOf(plain), fileName.flagBitsOf(file));
    const order = fileName.compareDelivery(file, other);
    assert.equal(Math.sign(fileName.compareDelivery(other, file)) + Math.sign(order), 0);
    const time = fileName.deliveryTimeOf(base);
    assert.ok(time === undefined || Number.isSafeInteger(time));
  },
});

export const dovecotFiles = pureTarget({
  name: "dovecot-files",
  seeds: [
    "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n25017 W2481 S2457 :1276533073.M242911P3632.x:2,F\n",
    "1 1173189136 20221\n20212 1187692206.M7\n20212 x\n",
    "0 $Forwarded\n1 NonJunk\n26 x\n",
    "V\t2\n\nINBOX\na\tb&AC8-\n",
    "inbox\na.b\n&U,BTFw-\n",
  ],
  sources: ["store/maildir/dovecot_files.ts"],
  tokens: [
    "\n",
    " ",
    ":",
    "3 V",
    " N",
    "1 1 1",
    "4294967295",
    "4294967294",
    "V\t2\n",
    "\t",
    "&",
    ".",
  ],
  async run(input) {
    const text = latin1FromBytes(input);
    const list = await parseUidList(text);
    const validity = parseUidValidity(text.split("\n")[0]);
    assert.equal(list?.uidValidity, validity);
    if (list !== undefined) {
      const uids = [...list.uids.values()];
      assert.equal(new Set(uids).size, uids.length, "a UID twice");
      for (const uid of [...uids, list.uidNext, list.uidValidity]) {
        assert.ok(Number.isInteger(uid) && uid >= 1 && uid <= 0xffff_ffff);
      }
      assert.ok(uids.every((uid) => uid < list.uidNext), "UIDNEXT is in use");
    }
    const words = parseKeywords(text);
    assert.ok(words.length <= 26);
    for (const word of keywordsOf("abcdefghijklmnopqrstuvwxyz", words)) {
      assert.match(word, /^[!-~]+$/);
    }
    for (const name of parseSubscriptions(text, ".")) assert.notEqual(name, "");
  },
});

/** Reads mboxes from a file, since that is where they are. */
export const mbox: FuzzTarget = {
  name: "mbox",
  seeds: [
    "From a@b Thu Jan  1 00:00:00 2026\nStatus: RO\nX-Keywords: a b\nSubject: x\n\nhello\n>From me\n\nFrom - Thu Jan  1 00:00:01 2026\nX-Mozilla-Status: 0003\nContent-Length: 3\n\nab\n\n",
    "From MAILER-DAEMON Thu Jan  1 00:00:00 2026 +0100\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\nx\n\nFrom b@c Fri Feb 30 99:99:99 2026\n\n",
    "From \r\nA: b\r\n\r\nx\r\n\r\nFrom -\r\n\r\n",
  ],
  sources: ["transfer/mbox_source.ts"],
  tokens: [
    "From ",
    "\nFrom a@b Thu Jan  1 00:00:00 2026\n",
    ">From ",
    "\n\n",
    "\r\n",
    "Content-Length: 5\n",
    "Status: RO\n",
    " folded\n",
  ],
  longest: 2000,
  async begin() {
    const file = await Deno.makeTempFile({ prefix: "imapd-fuzz-", suffix: ".mbox" });
    return {
      async run(input) {
        if (input.length > 8192) return;
        await Deno.writeFile(file, input);
        try {
          const source = new MboxSource([file]);
          const keys = new Set<string>();
          let octets = 0;
          for await (const mailbox of source.mailboxes()) {
            for await (const message of mailbox.messages()) {
              assert.ok(!keys.has(message.key), "a key twice");
              keys.add(message.key);
              assert.ok(message.date === undefined || Number.isSafeInteger(message.date.seconds));
              for (const word of message.flags.keywords) assert.match(word, /^[!-~]+$/);
              for await (const piece of message.octets()) octets += piece.length;
            }
          }
          assert.ok(octets <= input.length, "more came out than was there");
        } catch (error) {
          if (!(error instanceof SourceFault)) throw error;
        }
      },
      end: () => Deno.remove(file),
    };
  },
};
