/** What is done with the octets of commands and responses: `deno task bench`. */

import { Columns } from "../src/store/maildir/columns.ts";
import { Framer } from "../src/wire/framer.ts";
import { findCommand } from "../src/imap/table.ts";
import { tag } from "../src/wire/grammar.ts";
import { formatNumberSet, type NumberSet, numbersIn } from "../src/wire/number_set.ts";
import { dateTime, flagNames, string } from "../src/wire/response.ts";
import { fetchArgs } from "../src/wire/command_grammar.ts";
import { searchProgram } from "../src/wire/search_grammar.ts";
import { Scanner } from "../src/wire/scanner.ts";

const LIMITS = { line: 65536, literals: 1 << 20 };
const octets = (text: string) => new TextEncoder().encode(text);

const command = octets("A0001 UID FETCH 4711:4760 (FLAGS)\r\n");
const framer = new Framer(LIMITS);
Deno.bench("Framer: one command", () => {
  framer.push(command);
  framer.next();
});

const many = octets("A0001 NOOP\r\n".repeat(1000));
Deno.bench("Framer: 1,000 commands in one segment", () => {
  framer.push(many);
  while (framer.next() !== undefined);
});

Deno.bench("findCommand: UID FETCH", () => {
  const scanner = new Scanner("A0001 UID FETCH 4711:4760 (FLAGS)", []);
  tag(scanner);
  scanner.space();
  findCommand(scanner);
});

const ITEMS = "1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE " +
  "BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID REFERENCES)])";
Deno.bench("FETCH arguments", () => void fetchArgs(new Scanner(` ${ITEMS}`, [])));

const PROGRAM = 'OR (FROM "anna" SINCE 1-Jan-2026) (NOT DELETED SUBJECT "report" LARGER 20000)';
Deno.bench("SEARCH program", () => void searchProgram(new Scanner(PROGRAM, [])));

const sparse = Array.from({ length: 10_000 }, (_, n) => n * 3 + 1);
const dense: NumberSet = { ranges: [[1, 100_000]] };
Deno.bench("formatNumberSet: 10,000 numbers apart", () => void formatNumberSet(sparse));
Deno.bench("numbersIn: 1:100000", () => void numbersIn(dense, 100_000));

Deno.bench("FLAGS and INTERNALDATE", () => {
  flagNames(3, false, []);
  dateTime(1_772_000_000, 60);
});
Deno.bench("string: quoted", () => void string("Quarterly report, final"));

const columns = new Columns();
columns.pushRows(
  Array.from({ length: 100_000 }, (_, n) => [n + 1, n & 3, 0, n, 4000, 1.7e9, 60] as const),
);
const wanted = Array.from({ length: 10_000 }, (_, n) => n * 10 + 1);
Deno.bench("Columns.indexesOf: 10,000 of 100,000", () => void columns.indexesOf(wanted));
