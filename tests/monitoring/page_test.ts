// The status page in a real browser.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { clientTest } from "../clients/programs.ts";
import { PASSWORD } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { Browser } from "./chromium.ts";
import { startWatched, TOKEN } from "./serving.ts";

clientTest(
  ["chromium"],
  "status page: shows what is true, at any width, and without an error",
  async () => {
    await using server = await startWatched();
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.command("LOGIN nobody wrong");
    await client.command(`LOGIN u1 ${PASSWORD}`);
    await client.command("SELECT INBOX");
    for (let i = 0; i < 3; i++) await client.command("APPEND Archive {5+}\r\nA: b\n");
    for (let i = 0; i < 4; i++) await client.command("NOOP");
    await using waiting = await RawConnection.tls(server.tlsPort);
    await waiting.line();
    await using browser = await Browser.open();
    await browser.size(1240, 900);
    await browser.goto(server.url);
    await browser.until("document.querySelectorAll('#commands-chart path').length === 2");
    strictEqual(await browser.text("#hostname"), "mail.example.org");
    strictEqual(await browser.text("#health"), "Healthy");
    strictEqual(await browser.text("#connections"), "2");
    strictEqual(await browser.text("#logged-in"), "1 logged in, 1 not yet");
    strictEqual(await browser.text("#commands-note"), "10 since the start");
    match(await browser.text("#latency"), /^[\d.]+ m?s p50$/);
    match(await browser.text("#about"), /^imapd 0\.1\.0, up for \d+ s$/);
    const rows = await browser.evaluate(
      `Array.from(document.querySelectorAll("#growing .row, #failed .row, #certificates .row"),
      (row) => Array.from(row.children, (cell) => cell.textContent))`,
    ) as [string, string][];
    deepStrictEqual(rows.slice(0, 2), [["Archive of u1", "+3"], ["127.0.0.0/24", "1"]]);
    strictEqual(rows[2][0], "mail.example.org");
    match(rows[2][1], /^\d+ days$/);
    const table = await browser.evaluate(
      `Array.from(document.querySelectorAll("#by-command tr"),
      (row) => Array.from(row.children, (cell) => cell.textContent).slice(0, 3).join())`,
    ) as string[];
    deepStrictEqual(table.toSorted(), ["APPEND,3,0", "LOGIN,1,1", "NOOP,4,0", "SELECT,1,0"]);

    // It goes on by itself.
    await client.command("NOOP");
    await browser.until("document.getElementById('commands-note').textContent.startsWith('11 ')");
    for (const dark of [false, true]) {
      await browser.dark(dark);
      for (const width of [320, 390, 800]) {
        await browser.size(width, 800);
        await browser.until(`innerWidth === ${width}`);
        const wide = await browser.evaluate(
          `Array.from(document.querySelectorAll("body, body *"))
          .filter((each) => !each.closest("table, svg"))
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
          .map((each) => each.outerHTML.slice(0, 80))`,
        );
        deepStrictEqual(wide, [], `at ${width} pixels`);
        ok(Number(await browser.evaluate("document.documentElement.scrollWidth")) <= width);
      }
    }
    deepStrictEqual(browser.errors, []);

    // And it says so when it cannot.
    await server.stop();
    await browser.until("document.getElementById('health').textContent.startsWith('No answer')");
  },
);

clientTest(
  ["chromium"],
  "status page: names from clients are text, and the form lets in who knows the token",
  async () => {
    await using server = await startWatched({
      openmetrics: `{ listen = "tcp://127.0.0.1:0", token = "${TOKEN}" }`,
    });
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.command(`LOGIN u1 ${PASSWORD}`);
    const name = "<img src=x onerror=alert(1)>";
    await client.command(`CREATE "${name}"`);
    await client.command(`APPEND "${name}" {5+}\r\nA: b\n`);
    await using browser = await Browser.open();
    const submit = async (token: string) => {
      await browser.until("document.getElementById('token') !== null");
      await browser.evaluate(
        `document.getElementById("token").value = "${token}"; document.forms[0].requestSubmit()`,
      );
    };
    await browser.goto(server.url);
    await submit("another-token-of-16");
    await browser.until("location.search === '?refused'");
    await browser.until("!document.getElementById('refused').hidden");
    await submit(TOKEN);
    await browser.until("document.querySelector('#growing .row') !== null");
    strictEqual(await browser.text("#growing .row span"), `${name} of u1`);
    strictEqual(await browser.evaluate("location.pathname + location.search"), "/");
    strictEqual(await browser.evaluate("document.images.length"), 0);
    // The only error is what the browser makes of the page that asks for the token.
    deepStrictEqual(browser.errors.filter((text) => !/status of 401/.test(text)), []);
  },
);
