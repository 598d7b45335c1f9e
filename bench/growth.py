#!/usr/bin/env python3
"""How the cost of a server grows with the size of a mailbox and the number of connections.

  bench/growth.py measure --name imapd --address 127.0.0.1:1143 --tls 127.0.0.1:1993 --user bench \\
    --password pass --maildir mail/bench --pid-cmd 'cat imapd.pid' --restart-cmd ./restart \\
    --out imapd.json [--messages 10000,100000,1000000]
  bench/growth.py draw imapd.json dovecot.json --docs docs

`measure` writes mailboxes of 10,000 and 100,000 short messages into the Maildir (a file each) and
removes them again; then it opens 100, 1,000 and 10,000 connections over TLS and leaves them in IDLE
(server and client need as many descriptors).
`draw` makes a table and plots, and puts the table between the markers of docs/performance.md."""
import argparse, json, math, multiprocessing, os, resource, shutil, subprocess, time
from imap_client import Connection, exists, memory, parse_address, percentile, restart, settle, tls_context
from small_mail import write_folder

BEGIN, END = "<!-- growth:begin -->", "<!-- growth:end -->"
AT_ONCE = 500


def numbers(text):
    return [int(word) for word in text.split(",")]


def connected(options):
    client = Connection(options.address, patience=3600)
    client.login(options.user, options.password)
    return client


def timed(client, command, times=1):
    """The median in milliseconds, and what came of the last."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        answer = client.command(command, keep=command.startswith(b"SELECT"))
        seconds.append(time.perf_counter() - begun)
    return round(1000 * percentile(seconds, 50), 2), answer


def measure_mailbox(options, count):
    mailbox = f"growth{count}"
    select = b"SELECT " + mailbox.encode()
    restart(options.restart_cmd, options.address)
    connected(options).close()
    write_folder(options.maildir, mailbox, count)
    restart(options.restart_cmd, options.address)
    client = connected(options)
    adoption, answer = timed(client, select)
    if exists(answer) != count:
        raise SystemExit(f"{mailbox}: {count} messages were written, the server has {exists(answer)}")
    settle(options.pid_cmd)
    client.close()
    restart(options.restart_cmd, options.address)
    client = connected(options)
    settle(options.pid_cmd)
    before = memory(options.pid_cmd)
    cold, _ = timed(client, select)
    client.command(b"UNSELECT")
    warm, _ = timed(client, select, 21)
    fetch, _ = timed(client, b"FETCH 1:* (FLAGS)", 5)
    time.sleep(2)
    row = {"count": count, "adoption": adoption, "cold": cold, "warm": warm, "fetch": fetch,
           "memory": memory(options.pid_cmd), "grown": memory(options.pid_cmd) - before}
    client.command(b"UNSELECT")
    client.command(b"DELETE " + mailbox.encode())
    client.close()
    shutil.rmtree(os.path.join(options.maildir, f".{mailbox}"), ignore_errors=True)
    print(row, flush=True)
    return row


def hold(options, count, source, pipe):
    """Opens connections from an address of their own, and keeps them until it is ended."""
    tls = tls_context()
    held = []
    for _ in range(count):
        client = Connection(options.tls, tls, source)
        client.login(options.user, options.password)
        client.command(b"SELECT INBOX")
        client.idle()
        held.append(client)
    pipe.send(count)
    pipe.recv()


def measure_connections(options, counts):
    restart(options.restart_cmd, options.address)
    connected(options).close()
    time.sleep(3)
    before = memory(options.pid_cmd)
    rows, holders, total = [], [], 0
    for want in counts:
        begun = time.monotonic()
        # The last one is that of the NOOPs.
        while total < want - 1:
            count = min(AT_ONCE, want - 1 - total)
            pipe, other = multiprocessing.Pipe()
            source = f"127.0.0.{2 + len(holders)}"
            holder = multiprocessing.Process(
                target=hold, args=(options, count, source, other), daemon=True)
            holder.start()
            holders.append((holder, pipe))
            total += pipe.recv()
        seconds = time.monotonic() - begun
        time.sleep(3)
        now = memory(options.pid_cmd)
        client = connected(options)
        noop, _ = timed(client, b"NOOP", 200)
        client.close()
        rows.append({"count": want, "memory": now, "each": round((now - before) / want, 1),
                     "seconds": round(seconds, 1), "noop": noop})
        print(rows[-1], flush=True)
    for holder, _ in holders:
        holder.terminate()
    return rows


def measure(options):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = {"name": options.name,
             "connections": measure_connections(options, options.connections),
             "mailboxes": [measure_mailbox(options, size) for size in options.messages]}
    with open(options.out, "w") as file:
        json.dump(found, file, indent=1)


def number(value):
    if value is None:
        return "–"
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def table(servers):
    lines = ["| messages in the mailbox | server | adopted (s) | SELECT, cold (ms) | SELECT again (ms) "
             "| `FETCH 1:* (FLAGS)` (ms) | memory (MB) |", "|---" * 7 + "|"]
    for server in servers:
        for row in server["mailboxes"]:
            cells = [f"{row['count']:,}", server["name"], number(row["adoption"] / 1000),
                     number(row["cold"]), number(row["warm"]), number(row["fetch"]),
                     number(row["memory"] / 1024)]
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| idle TLS connections | server | memory (MB) | each (KB) | NOOP, p50 (ms) |",
              "|---" * 5 + "|"]
    for server in servers:
        for row in server["connections"]:
            cells = [f"{row['count']:,}", server["name"], number(row["memory"] / 1024),
                     number(row["each"]), number(row["noop"])]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


STYLE = """<style>
text { font: 13px sans-serif; fill: #333 } .grid { stroke: #ddd } .c0 { stroke: #0a64c8; fill: #0a64c8 }
.c1 { stroke: #c8500a; fill: #c8500a } .c2 { stroke: #2a8a3a; fill: #2a8a3a }
.c3 { stroke: #8a3aa8; fill: #8a3aa8 } polyline { fill: none !important; stroke-width: 2 }
text.c0, text.c1, text.c2, text.c3 { stroke: none }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #444 }
.c0 { stroke: #6ab0ff; fill: #6ab0ff } .c1 { stroke: #ff9a5a; fill: #ff9a5a }
.c2 { stroke: #6ad07a; fill: #6ad07a } .c3 { stroke: #d08aff; fill: #d08aff } }
</style>"""


def decades(values):
    return (math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9))


def plot(title, across, up, lines):
    """An SVG with both axes logarithmic; `lines` are pairs of a name and points."""
    width, height, left, right, top, bottom = 720, 400, 70, 190, 40, 50
    low_x, high_x = decades([x for _, points in lines for x, _ in points])
    low_y, high_y = decades([y for _, points in lines for _, y in points])
    high_x, high_y = max(high_x, low_x + 1), max(high_y, low_y + 1)

    def place(x, y):
        return (left + (math.log10(x) - low_x) / (high_x - low_x) * (width - left - right),
                height - bottom - (math.log10(y) - low_y) / (high_y - low_y) * (height - top - bottom))

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
             f"<title>{title}</title>", STYLE, f'<text x="{left}" y="22">{title}</text>']
    for power in range(low_x, high_x + 1):
        x, _ = place(10 ** power, 10 ** low_y)
        parts.append(f'<line class="grid" x1="{x:.0f}" y1="{top}" x2="{x:.0f}" y2="{height - bottom}"/>'
                     f'<text x="{x:.0f}" y="{height - bottom + 18}" text-anchor="middle">{10 ** power:,}</text>')
    for power in range(low_y, high_y + 1):
        _, y = place(10 ** low_x, 10 ** power)
        parts.append(f'<line class="grid" x1="{left}" y1="{y:.0f}" x2="{width - right}" y2="{y:.0f}"/>'
                     f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{10.0 ** power:,g}</text>')
    ends = []
    for n, (name, points) in enumerate(lines):
        placed = [place(x, y) for x, y in points]
        shown = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline class="c{n % 4}" points="{shown}"/>')
        parts += [f'<circle class="c{n % 4}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed]
        ends.append((placed[-1][1], n, name))
    at = -math.inf
    for y, n, name in sorted(ends):
        # Names of lines that end together stand below each other.
        at = max(y + 4, at + 16)
        parts.append(f'<text class="c{n % 4}" x="{width - right + 10}" y="{at:.0f}">{name}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">{across}</text>')
    parts.append(f'<text transform="translate(16 {(top + height - bottom) / 2}) rotate(-90)" '
                 f'text-anchor="middle">{up}</text></svg>')
    return "\n".join(parts) + "\n"


def series(servers, rows, key, name, scale=1):
    return [(f"{server['name']}{name}",
             [(row["count"], max(row[key] / scale, 0.01)) for row in server[rows]])
            for server in servers]


def draw(options):
    servers = []
    for path in options.results:
        with open(path) as file:
            servers.append(json.load(file))
    plots = {
        "growth-time": plot("Time by messages in the mailbox", "messages", "ms",
                            series(servers, "mailboxes", "warm", ", SELECT again")
                            + series(servers, "mailboxes", "fetch", ", FETCH FLAGS")),
        "growth-mailbox-memory": plot("Memory by messages in the mailbox", "messages", "MB",
                                      series(servers, "mailboxes", "memory", "", 1024)),
        "growth-connection-memory": plot("Memory by idle TLS connections", "connections", "MB",
                                         series(servers, "connections", "memory", "", 1024)),
    }
    images = os.path.join(options.docs, "images")
    os.makedirs(images, exist_ok=True)
    lines = table(servers) + [""]
    for name, text in plots.items():
        with open(os.path.join(images, f"{name}.svg"), "w") as file:
            file.write(text)
        title = text.split("<title>")[1].split("<")[0]
        lines.append(f"![{title}](images/{name}.svg)")
    path = os.path.join(options.docs, "performance.md")
    with open(path) as file:
        page = file.read()
    if BEGIN not in page:
        page = f"{page.rstrip()}\n\n## Growth\n\n{BEGIN}\n{END}\n"
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")
    if shutil.which("deno"):
        subprocess.run(["deno", "fmt", "--quiet", path], check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    measuring = actions.add_parser("measure")
    measuring.add_argument("--name", required=True)
    measuring.add_argument("--address", type=parse_address, required=True)
    measuring.add_argument("--tls", type=parse_address, required=True)
    measuring.add_argument("--user", default="bench")
    measuring.add_argument("--password", default="pass")
    measuring.add_argument("--maildir", required=True)
    measuring.add_argument("--pid-cmd", required=True)
    measuring.add_argument("--restart-cmd", required=True)
    measuring.add_argument("--out", required=True)
    measuring.add_argument("--messages", default="10000,100000", type=numbers)
    measuring.add_argument("--connections", default="100,1000,10000", type=numbers)
    drawing = actions.add_parser("draw")
    drawing.add_argument("results", nargs="+", help="what `measure` wrote, one file for each server")
    drawing.add_argument("--docs", default="docs")
    options = parser.parse_args()
    draw(options) if options.action == "draw" else measure(options)


if __name__ == "__main__":
    main()
