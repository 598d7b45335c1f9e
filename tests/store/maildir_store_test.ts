import { openStorage } from "../../src/app/storage.ts";
import type { StorageConfig } from "../../src/config/load.ts";
import type { QuotaSettings } from "../../src/store/maildir/quota.ts";
import { storeContract } from "../contracts/store_contract.ts";
import { silentLog } from "./maildir_fixture.ts";

storeContract("maildir", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-store-" });
  return {
    open: (quota = {}) => openStorage(config(dir, quota), silentLog()),
    remove: () => Deno.remove(dir, { recursive: true }),
  };
});

function config(
  dir: string,
  { storage, messages, mailboxes }: QuotaSettings,
): StorageConfig {
  return {
    module: "maildir",
    path: `${dir}/{account}`,
    specialFolders: new Map([["Sent", "sent"]]),
    appendlimit: undefined,
    appendlimits: new Map(),
    quota: { storage, messages, mailboxes, map: undefined, soft: false },
    disableRecent: false,
    deliveryMap: { module: "identity" },
    deliveryNormalize: "noop",
    deliverySeparator: "+",
    deliveryOverQuota: "defer",
    searchIndex: true,
    searchIndexLimit: 1024 * 1024,
    memoryBudget: 64 * 1024 * 1024,
  };
}
