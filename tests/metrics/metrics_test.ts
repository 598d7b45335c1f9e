import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { Registry } from "../../src/metrics.ts";
import { parserTest, readExposition, sampleOf } from "./exposition.ts";

Deno.test("Registry.text() exposes all kinds", () => {
  const registry = new Registry();
  const hits = registry.counter({ name: "hits", help: "Hits", labels: ["who"] });
  hits.of("a").add();
  hits.of("a").add(2);
  hits.of('q"\\\n').add();
  const heat = registry.gauge({ name: "heat", help: "Heat" });
  registry.collect(() => heat.of().set(1.5));
  const time = registry.histogram({ name: "time_seconds", help: "Time" }, [0.1, 1]);
  for (const value of [0.1, 0.2, 1, 7]) time.of().observe(value);
  registry.info({ name: "build", help: "Build" }, { version: "1" });
  strictEqual(
    registry.text(),
    [
      "# TYPE hits counter",
      "# HELP hits Hits",
      'hits_total{who="a"} 3',
      'hits_total{who="q\\"\\\\\\n"} 1',
      "# TYPE heat gauge",
      "# HELP heat Heat",
      "heat 1.5",
      "# TYPE time_seconds histogram",
      "# UNIT time_seconds seconds",
      "# HELP time_seconds Time",
      'time_seconds_bucket{le="0.1"} 1',
      'time_seconds_bucket{le="1.0"} 3',
      'time_seconds_bucket{le="+Inf"} 4',
      "time_seconds_count 4",
      "time_seconds_sum 8.3",
      "# TYPE build info",
      "# HELP build Build",
      'build_info{version="1"} 1',
      "# EOF",
      "",
    ].join("\n"),
  );
});

Deno.test("Registry: takes each name once", () => {
  const registry = new Registry();
  registry.gauge({ name: "a", help: "A" });
  throws(() => registry.counter({ name: "a", help: "A" }), /Expected a new name .* got a/);
});

parserTest("Registry.text() is read by prometheus_client, with labels of any text", async () => {
  const registry = new Registry();
  const nasty = 'a"b\\c\nd,e="f"} 7 # {';
  registry.counter({ name: "x", help: 'H "q" \\ n', labels: ["l", "m"] }).of(nasty, "").add(3);
  registry.histogram({ name: "y_seconds", help: "H", labels: ["l"] }, [0.00025, 10]).of("z")
    .observe(1);
  const families = await readExposition(registry.text());
  strictEqual(sampleOf(families, "x_total", { l: nasty, m: "" }), 3);
  strictEqual(sampleOf(families, "y_seconds_bucket", { le: "10.0", l: "z" }), 1);
  deepStrictEqual(families.map(({ type, unit }) => [type, unit]), [
    ["counter", ""],
    ["histogram", "seconds"],
  ]);
  await rejects(readExposition("# TYPE x counter\nx 1\n# EOF\n"));
});
