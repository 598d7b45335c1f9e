/** Makes stores from their configs. */

import { accountNameFault, accountPath } from "../auth/account_name.ts";
import type { StorageConfig } from "../config/load.ts";
import type { SPECIAL_USES } from "../config/schema/storage.ts";
import type { Log } from "../log.ts";
import { QuotaTable } from "./quota_table.ts";
import { accountPlaces } from "./account_places.ts";
import { type AccountSettings, MaildirStore, type StoreMeasures } from "../store/maildir/store.ts";
import { PrivateIndexes } from "../store/maildir/private_index.ts";
import type { SearchService } from "../store/maildir/search_service.ts";
import type { StoreMeter } from "../store/meter.ts";
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
export function openStorage(
  config: StorageConfig,
  log: Log,
  meter?: StoreMeter,
  searchService?: SearchService,
  privateIndexes?: PrivateIndexes,
): MaildirStore {
  return new MaildirStore({
    path(account: string) {
      try {
        return accountPath(config.path, account);
      } catch (error) {
        throw new StoreError("not-permitted", "No account can have this name", { cause: error });
      }
    },
    places: () => accountPlaces(config.path),
    ...accountSettings(config),
    memoryBudget: config.memoryBudget,
    meter,
    searchService,
    privateIndexes,
    log,
  });
}

function accountSettings(
  { specialFolders, disableRecent, quota, searchIndex, searchIndexLimit }: StorageConfig,
  limits?: QuotaTable,
): AccountSettings {
  const folders = [...specialFolders].map(([name, use]) => ({ name, use: SPECIAL_USE[use] }));
  return {
    specialFolders: folders,
    disableRecent,
    searchLimit: searchIndex ? searchIndexLimit : undefined,
    quota: quota && {
      storage: quota.storage,
      messages: quota.messages,
      mailboxes: quota.mailboxes,
    },
    quotaOf: limits && ((account) => limits.limits(account)),
    softQuota: quota?.soft ?? false,
  };
}

/** Stores by their path templates: a Maildir can be open only once, and stays open over reloads. */
export class Stores {
  readonly #opened = new Map<string, MaildirStore>();
  /** By path, as the stores. */
  readonly #limits = new Map<string, QuotaTable>();
  readonly #privateIndexes: PrivateIndexes;

  /**
   * @param runtimeDir where accounts on read-only disks are opened if the folder for temporary files
   * takes none
   * @param search by what texts are indexed, ended with the stores; absent: they are not
   */
  constructor(
    private readonly log: Log,
    runtimeDir: string,
    private readonly meter?: StoreMeter,
    private readonly search?: SearchService,
  ) {
    this.#privateIndexes = new PrivateIndexes({ otherwise: runtimeDir });
  }

  /** The store of that path, as it is if there is one. */
  open(config: StorageConfig): Store {
    return this.maildirs(config);
  }

  /** The same, as what it is. */
  maildirs(config: StorageConfig): MaildirStore {
    const known = this.#opened.get(config.path);
    if (known !== undefined) return known;
    const store = openStorage(config, this.log, this.meter, this.search, this.#privateIndexes);
    this.#opened.set(config.path, store);
    this.use(config);
    return store;
  }

  /** Opens accounts by these settings from now on. */
  use(config: StorageConfig): void {
    const { path, quota } = config;
    const before = this.#limits.get(path);
    // Several endpoints share one.
    const limits = before?.config === quota?.map
      ? before
      : quota?.map && new QuotaTable(quota.map, this.log);
    this.#opened.get(path)?.use(accountSettings(config, limits));
    if (limits === before) return;
    if (limits === undefined) this.#limits.delete(path);
    else this.#limits.set(path, limits);
    before?.close().catch((error: unknown) => {
      this.log.warn("cannot close a table of limits", { error: String(error) });
    });
  }

  /** What is open in all of them. */
  measures(): StoreMeasures {
    const all = Array.from(this.#opened.values(), (store) => store.measures());
    const sum = (key: keyof StoreMeasures) => all.reduce((total, each) => total + each[key], 0);
    return {
      accounts: sum("accounts"),
      mailboxes: sum("mailboxes"),
      unprepared: sum("unprepared"),
      unindexed: sum("unindexed"),
    };
  }

  async close(): Promise<void> {
    for (const store of this.#opened.values()) await store.close();
    for (const limits of this.#limits.values()) await limits.close();
    this.search?.close();
  }
}

/** Why a storage cannot have an account of that name, as the end of "the name …". */
export function accountFault(config: StorageConfig, name: string): string | undefined {
  const needsDomain = config.path.includes("{domain}");
  return accountNameFault(name) ??
    (needsDomain && !name.includes("@") ? "has no domain" : undefined);
}
