// The dashboard for Grafana names what /metrics has, and nothing else.

import { deepStrictEqual, ok } from "node:assert/strict";
import { PASSWORD } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { startWatched } from "./serving.ts";

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets: readonly { readonly expr: string }[];
}

/** Samples by their names, and the names of the labels of each. */
async function samples(url: string): Promise<Map<string, Set<string>>> {
  const text = await (await fetch(`${url}metrics`)).text();
  const found = new Map<string, Set<string>>();
  for (const [, name, , labels = ""] of text.matchAll(/^([a-z_]+)(\{(.*)\})? \S+$/gm)) {
    const known = found.get(name) ?? new Set(["instance"]);
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}

Deno.test("dist/grafana-dashboard.json: every metric and label that it names exists, and every metric is in it", async () => {
  await using server = await startWatched();
  await using client = await RawConnection.plain(server.port);
  await client.line();
  await client.command("LOGIN u1 wrong");
  await client.command(`LOGIN u1 ${PASSWORD}`);
  await client.command("APPEND INBOX {5+}\r\nA: b\n");
  // A handshake that fails is one connection refused.
  await using plain = await RawConnection.plain(server.tlsPort);
  await plain.send("a NOOP\r\n");
  await plain.rest();
  const exposed = await samples(server.url);
  const file = new URL("../../dist/grafana-dashboard.json", import.meta.url);
  const { panels }: { panels: Panel[] } = JSON.parse(await Deno.readTextFile(file));
  const named = new Set<string>();
  for (const { title, gridPos, targets } of panels) {
    ok(gridPos.x + gridPos.w <= 24, title);
    for (const { expr } of targets) {
      const matches = [...expr.matchAll(/\b((?:imapd|process)_\w+)(?:\{([^}]*)\})?/g)];
      ok(matches.length > 0, expr);
      const labels = new Set(matches.flatMap(([, name]) => [...exposed.get(name) ?? []]));
      for (const [, name, chosen = ""] of matches) {
        ok(exposed.has(name), `${title}: ${name}`);
        named.add(name);
        for (const [, label] of chosen.matchAll(/(\w+)(?:=|!=|=~)"/g)) ok(labels.has(label), expr);
      }
      for (const [, group] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) {
        for (const label of group.split(/, */)) ok(labels.has(label), `${title}: ${label}`);
      }
    }
  }
  const families = (names: Iterable<string>) =>
    new Set(Array.from(names, (name) => name.replace(/_(bucket|count|sum)$/, "")));
  deepStrictEqual([...families(exposed.keys())].filter((name) => !families(named).has(name)), []);
});
