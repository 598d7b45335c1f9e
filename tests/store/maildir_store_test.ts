import { MaildirStore } from "../../src/store/maildir/store.ts";
import { storeContract } from "../contracts/store_contract.ts";
import { silentLog } from "./maildir_fixture.ts";

storeContract("maildir", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-store-" });
  return {
    open: () =>
      new MaildirStore({
        path: (account) => `${dir}/${account}`,
        specialFolders: [{ name: "Sent", use: "\\Sent" }],
        log: silentLog(),
      }),
    remove: () => Deno.remove(dir, { recursive: true }),
  };
});
