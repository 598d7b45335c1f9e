import { deepStrictEqual } from "node:assert/strict";
import { endSessions } from "../../src/admin/accounts.ts";
import type { AdminContext } from "../../src/admin/operation.ts";
import type { SessionInfo } from "../../src/net/session_info.ts";
import { memoryLog } from "../../src/log.ts";

Deno.test("endSessions: also ends what logged in while the change came into force", async () => {
  let open = ["ann", "bob", "ann"];
  const ended: string[] = [];
  const context: AdminContext = {
    storage: unused,
    delivery: unused,
    appendLimit: unused,
    diskUsage: unused,
    examineServer: unused,
    examineAccount: unused,
    log: memoryLog([]),
    running: true,
    sessions: {
      list: () => [],
      kick(matches, reason) {
        const goes = (user: string) => matches({ user } as SessionInfo);
        const gone = open.filter(goes);
        open = [...open.filter((user) => !goes(user)), ...ended.length === 0 ? ["ann"] : []];
        ended.push(...gone.map((user) => `${user}: ${reason}`));
        return gone.length;
      },
    },
  };
  const params = { account: "ann", reason: "disabled" };
  const waiting = new AbortController().signal;
  deepStrictEqual(
    await Array.fromAsync(
      endSessions.run(context, params, nothing(), waiting),
    ),
    [
      { kicked: 3 },
    ],
  );
  deepStrictEqual([open, ended], [["bob"], Array(3).fill("ann: disabled")]);
  const offline = { ...context, sessions: undefined, running: false };
  deepStrictEqual(await Array.fromAsync(endSessions.run(offline, params, nothing(), waiting)), [
    { kicked: 0 },
  ]);
});

function unused(): never {
  throw new Error("It is not needed here");
}

async function* nothing(): AsyncGenerator<never, void> {}
