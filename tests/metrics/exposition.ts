/** Reads expositions with the parser that Prometheus' own library for Python has. */

import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("openmetrics.py", import.meta.url));

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly samples: readonly (readonly [string, Readonly<Record<string, string>>, number])[];
}

/** Debian's packages are for Debian's own interpreter, which need not be the first one in PATH. */
const INTERPRETERS = ["python3", "/usr/bin/python3"];

/** An interpreter that has the parser. */
function interpreter(): string | undefined {
  return INTERPRETERS.find((python) => {
    try {
      const args = ["-c", "import prometheus_client.openmetrics.parser"];
      return new Deno.Command(python, { args, stderr: "null" }).outputSync().success;
    } catch {
      return false;
    }
  });
}

/** @throws {Error} with the parser's complaint */
export async function readExposition(text: string): Promise<MetricFamily[]> {
  const child = new Deno.Command(interpreter() ?? "python3", {
    args: [SCRIPT],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr) + text);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The value of one sample; undefined where there is none. */
export function sampleOf(
  families: readonly MetricFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return families.flatMap(({ samples }) => samples).find(([each, given]) =>
    each === name && Object.entries(labels).every(([key, value]) => given[key] === value)
  )?.[2];
}

/** A test that needs the parser. */
export function parserTest(name: string, fn: () => Promise<void>): void {
  const ignore = interpreter() === undefined;
  const reason = ignore ? " (skipped: no python3-prometheus-client here)" : "";
  Deno.test({ name: `${name}${reason}`, ignore, fn });
}
