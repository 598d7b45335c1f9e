/** Makes stores from their configs. */

import { accountNameFault, accountPath } from "../auth/account_name.ts";
import type { StorageConfig } from "../config/load.ts";
import type { SPECIAL_USES } from "../config/schema/storage.ts";
import type { Log } from "../log.ts";
import { MaildirStore } from "../store/maildir/store.ts";
import { type SpecialUse, type Store, StoreError } from "../store/store.ts";

const SPECIAL_USE: Readonly<Record<typeof SPECIAL_USES[number], SpecialUse>> = {
  all: "\\All",
  archive: "\\Archive",
  drafts: "\\Drafts",
  flagged: "\\Flagged",
  junk: "\\Junk",
  sent: "\\Sent",
  trash: "\\Trash",
};

/** Opens where mail is kept; nothing is made before an account is asked for. */
export function openStorage(config: StorageConfig, log: Log): Store {
  return new MaildirStore({
    path(account: string) {
      try {
        return accountPath(config.path, account);
      } catch (error) {
        throw new StoreError("not-permitted", "No account can have this name", { cause: error });
      }
    },
    specialFolders: [...config.specialFolders].map(([name, use]) => ({
      name,
      use: SPECIAL_USE[use],
    })),
    disableRecent: config.disableRecent,
    memoryBudget: config.memoryBudget,
    log,
  });
}

/** Why a storage cannot have an account of that name, as the end of "the name …". */
export function accountFault(config: StorageConfig, name: string): string | undefined {
  const needsDomain = config.path.includes("{domain}");
  return accountNameFault(name) ??
    (needsDomain && !name.includes("@") ? "has no domain" : undefined);
}
