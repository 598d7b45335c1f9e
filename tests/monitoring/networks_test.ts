import { strictEqual } from "node:assert/strict";
import { networkOf } from "../../src/monitoring/networks.ts";

for (
  const [address, network] of [
    ["192.0.2.9", "192.0.2.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8::/64"],
    ["2001:DB8:0:7::", "2001:db8:0:7::/64"],
    ["::1", "::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["64:ff9b::192.0.2.9", "64:ff9b::/64"],
    ["unix", "unix"],
  ]
) {
  Deno.test(`networkOf(): ${address} is of ${network}`, () => {
    strictEqual(networkOf(address), network);
  });
}
