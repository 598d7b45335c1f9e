/** Variables in paths of Dovecot, of 2.3 (`%d`) and of 2.4 (`%{user | domain}`). */

const FIELDS: Readonly<Record<string, string>> = {
  u: "{account}",
  n: "{local}",
  d: "{domain}",
  user: "{account}",
  username: "{local}",
  domain: "{domain}",
  "user|username": "{local}",
  "user|domain": "{domain}",
};

/** Where homes of the system's users are. */
const HOME = "/home/{local}";

/**
 * The path template for a path of Dovecot; undefined where it has variables for which there is none.
 *
 * @param home the path of homes, of which `~` and `%h` stand for one
 */
export function pathOfDovecot(path: string, home: string | undefined): string | undefined {
  const homes = home === undefined ? HOME : withFields(home);
  const whole = path
    .replace(/^~(?=\/|$)/, () => homes ?? "%")
    .replace(/%h|%\{home\}/g, () => homes ?? "%");
  const found = withFields(whole);
  return found?.startsWith("/") ? found.replace(/\/+$/, "") : undefined;
}

/** Letters before the field change its case, which names have already. */
function withFields(path: string): string | undefined {
  const replaced = path.replace(/%(?:\{([^}]*)\}|L?([und]))/g, (whole, long, short) => {
    const name: string = short ?? long.replace(/\s+/g, "").replace(/\|lower$/, "");
    return FIELDS[name] ?? whole;
  });
  return replaced.includes("%") ? undefined : replaced;
}

/** Fills in a domain; undefined where a path has other variables. */
export function pathForDomain(path: string, domain: string): string | undefined {
  const template = withFields(path);
  const filled = template?.replaceAll("{domain}", domain);
  return filled?.includes("{") ? undefined : filled;
}
