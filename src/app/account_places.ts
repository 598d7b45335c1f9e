/** Finds accounts on disk: the reverse of `accountPath`. */

import { accountNameFault, accountPath } from "../auth/account_name.ts";
import { Pace } from "../pace.ts";
import type { AccountPlace } from "../store/maildir/store.ts";

const FIELD = /\{(account|local|domain)\}/g;

type Fields = Readonly<Partial<Record<string, string>>>;

/**
 * All folders at the place of an account in a path template, sorted within each folder. Their
 * neighbours of other names are among them, as places without a name.
 *
 * @param template absolute, with `{account}`, `{local}` and `{domain}`
 */
export async function* accountPlaces(template: string): AsyncIterable<AccountPlace> {
  const pace = new Pace();
  const [, ...segments] = template.split("/");
  yield* walk("", segments, {});

  async function* walk(
    folder: string,
    [segment, ...rest]: readonly string[],
    fields: Fields,
  ): AsyncIterable<AccountPlace> {
    const isLast = rest.length === 0;
    if (!isLast && !segment.match(FIELD)) {
      yield* walk(`${folder}/${segment}`, rest, fields);
      return;
    }
    const pattern = patternOf(segment);
    // What others closed to the server is no account of its; but it must see where accounts are.
    const mayBeClosed = Object.keys(fields).length > 0;
    for (const name of await foldersIn(`${folder}/`, mayBeClosed)) {
      if (pace.due()) await pace.turn();
      const groups = pattern.exec(name)?.groups;
      const found = groups && fieldsWith(fields, groups);
      const path = `${folder}/${name}`;
      if (isLast) yield { path, name: found && nameOf(template, found, path) };
      else if (found) yield* walk(path, rest, found);
    }
  }
}

/** Each field is a group; a dot at its beginning is none, as in the name of an account. */
function patternOf(segment: string): RegExp {
  const seen = new Set<string>();
  let pattern = "";
  let at = 0;
  for (const { 0: text, 1: field, index } of segment.matchAll(FIELD)) {
    pattern += RegExp.escape(segment.slice(at, index));
    pattern += seen.has(field) ? `\\k<${field}>` : `(?<${field}>(?!\\.).+)`;
    seen.add(field);
    at = index + text.length;
  }
  // A group that is always there, so that a match has groups.
  return new RegExp(`^${pattern}${RegExp.escape(segment.slice(at))}(?<end>)$`, "su");
}

function fieldsWith(known: Fields, found: Fields): Fields | undefined {
  for (const [field, value] of Object.entries(found)) {
    if (known[field] !== undefined && known[field] !== value) return undefined;
  }
  return { ...known, ...found };
}

function nameOf(template: string, fields: Fields, path: string): string | undefined {
  const { account, local, domain } = fields;
  const name = account ?? (domain === undefined ? local : `${local}@${domain}`);
  if (name === undefined || accountNameFault(name) !== undefined) return undefined;
  try {
    return accountPath(template, name) === path ? name : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Names of the folders in a folder, and of links in it; none if it is not there or not a folder. */
async function foldersIn(path: string, mayBeClosed: boolean): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
      if (isDirectory || isSymlink) names.push(name);
    }
  } catch (error) {
    const isClosed = error instanceof Deno.errors.PermissionDenied;
    if (!isMissing(error) && !(isClosed && mayBeClosed)) throw error;
  }
  return names.sort();
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.FilesystemLoop;
}
