import { strictEqual } from "node:assert/strict";
import {
  canonicalAddress,
  customerNetwork,
  Networks,
  widerNetwork,
} from "../../src/net/ip_address.ts";

const SPELLINGS: readonly [string, string | undefined][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["::", "::"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
  ["::192.0.2.1", "::c000:201"],
  ["192.0.2.01", undefined],
  ["192.0.2", undefined],
  ["fe80::1%eth0", undefined],
  ["1::2::3", undefined],
  ["", undefined],
  ["localhost", undefined],
];

for (const [text, expected] of SPELLINGS) {
  Deno.test(`canonicalAddress() of ${text || "nothing"} is ${expected}`, () => {
    strictEqual(canonicalAddress(text), expected);
  });
}

Deno.test("Networks.includes: an address without a length is one address, of IPv6 too", () => {
  const networks = new Networks(["192.0.2.1", "10.0.0.0/8", "2001:db8::1", "fe80::/10"]);
  const inside = ["192.0.2.1", "10.255.255.255", "2001:db8::1", "febf::1"];
  const outside = ["192.0.2.2", "11.0.0.0", "2001:db8::2", "fec0::", "unix", "unknown"];
  for (const peer of inside) strictEqual(networks.includes(peer), true, peer);
  for (const peer of outside) strictEqual(networks.includes(peer), false, peer);
});

Deno.test("Networks.includes: all of one family are not all of the other, nor unix peers", () => {
  const ipv4 = new Networks(["0.0.0.0/0"]);
  strictEqual(ipv4.includes("198.51.100.7"), true);
  strictEqual(ipv4.includes("2001:db8::1"), false);
  strictEqual(ipv4.includes("unix"), false);
  const both = new Networks(["0.0.0.0/0", "::/0", "unix"]);
  for (const peer of ["198.51.100.7", "2001:db8::1", "unix"]) {
    strictEqual(both.includes(peer), true);
  }
  strictEqual(new Networks([]).includes("127.0.0.1"), false);
});

Deno.test("widerNetwork: 24 bits of IPv4, 48 of IPv6, also of a customer's network", () => {
  const cases = {
    "192.0.2.1": "192.0.2.0/24",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
    "2001:db8::9": "2001:db8:0::/48",
    "2001:db8:1:2::/64": "2001:db8:1::/48",
    "0:0:0:0::/64": "0:0:0::/48",
    "1::2:3:4:5:6:7": "1:0:2::/48",
    "unix": undefined,
    "192.0.2.0/24": undefined,
    "64:ff9b::c000:201": undefined,
    "fe80::1": undefined,
  };
  for (const [address, network] of Object.entries(cases)) {
    strictEqual(widerNetwork(address), network, address);
  }
});

Deno.test("customerNetwork: an IPv4 address, or 64 bits of IPv6", () => {
  const cases = {
    "192.0.2.1": "192.0.2.1",
    "unix": "unix",
    "::1": "0:0:0:0::/64",
    "2001:db8::9": "2001:db8:0:0::/64",
    "2001:db8:0:0:1:2:3:4": "2001:db8:0:0::/64",
    "2001:db8:1:2:a::": "2001:db8:1:2::/64",
    "2001:db8:0:1:1:2:3:4": "2001:db8:0:1::/64",
    "1::2:3:4:5:6:7": "1:0:2:3::/64",
    "64:ff9b::c000:201": "64:ff9b::c000:201",
    "fe80::1": "fe80::1",
  };
  for (const [address, network] of Object.entries(cases)) {
    strictEqual(customerNetwork(address), network, address);
  }
});
