#!/usr/bin/env python3
"""How long a NOOP of one session takes while another session has the server do something long.

  bench/fairness.py --address 127.0.0.1:1143 --user bench --password pass --maildir mail/bench \\
    --restart-cmd ./restart

The mailbox "fairness" gets 100,000 short messages, written into the Maildir where it has fewer.
The NOOPs come from a process of their own, one each millisecond, with another mailbox selected."""
import argparse, multiprocessing, re, time
from imap_client import Connection, exists, parse_address, percentile, restart, settle
from small_mail import write_folder

MAILBOX = "fairness"
MANY = b"OR FROM nobody%d " * 99 % tuple(range(99)) + b"FROM nobody"

# Name, and commands that are repeated
WORK = [
    ("nothing", [b"NOOP"]),
    ("SEARCH TEXT", [b'SEARCH TEXT "winter holiday"']),
    ("SEARCH BODY without a hit", [b"SEARCH BODY nowhere"]),
    ("SEARCH FROM", [b"SEARCH FROM ann"]),
    ("SEARCH HEADER", [b"SEARCH HEADER X-Other value"]),
    ("SEARCH UNSEEN", [b"SEARCH UNSEEN"]),
    ("SEARCH of 100 keys", [b"SEARCH " + MANY]),
    ("FETCH 1:* FLAGS", [b"FETCH 1:* (FLAGS)"]),
    ("FETCH 1:* ENVELOPE", [b"FETCH 1:* (ENVELOPE)"]),
    ("FETCH 1:* BODYSTRUCTURE", [b"FETCH 1:* (BODYSTRUCTURE)"]),
    ("FETCH 1:* header fields", [b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])"]),
    ("FETCH 1:20000 BODY.PEEK[]", [b"FETCH 1:20000 (BODY.PEEK[])"]),
    ("SORT (SUBJECT)", [b"SORT (SUBJECT) UTF-8 ALL"]),
    ("SORT (REVERSE DATE)", [b"SORT (REVERSE DATE) UTF-8 ALL"]),
    ("THREAD REFERENCES", [b"THREAD REFERENCES UTF-8 ALL"]),
    ("THREAD ORDEREDSUBJECT", [b"THREAD ORDEREDSUBJECT UTF-8 ALL"]),
    ("STORE 1:*", [b"STORE 1:* +FLAGS (\\Flagged)", b"STORE 1:* -FLAGS (\\Flagged)"]),
    ("STORE 1:*, silent", [b"STORE 1:* +FLAGS.SILENT (work)", b"STORE 1:* -FLAGS.SILENT (work)"]),
    ("COPY 20,000, EXPUNGE", [b"COPY 1:20000 fairness-copies", b"SELECT fairness-copies",
                              b"STORE 1:* +FLAGS.SILENT (\\Deleted)", b"EXPUNGE", b"SELECT fairness"]),
    ("MOVE 10,000 and back", [b"MOVE 1:10000 fairness-copies", b"SELECT fairness-copies",
                              b"MOVE 1:* fairness", b"SELECT fairness"]),
]
# What another session of the same mailbox sees when all messages change
CHANGE = [b"STORE 1:* +FLAGS.SILENT (\\Flagged)", b"STORE 1:* -FLAGS.SILENT (\\Flagged)"]
WATCHED = [
    ("STORE 1:* beside IDLE", []),
    ("STORE 1:* beside RETURN (UPDATE)", [b"SEARCH RETURN (UPDATE COUNT) FLAGGED"]),
    ("STORE 1:* beside SORT RETURN (UPDATE)",
     [b"SORT RETURN (UPDATE COUNT) (SUBJECT) UTF-8 FLAGGED"]),
]


def probe(options, pipe):
    client = Connection(options.address)
    client.login(options.user, options.password)
    client.command(b"SELECT INBOX")
    for _ in range(200):
        client.command(b"NOOP")
    pipe.send("ready")
    while True:
        pipe.recv()
        samples = []
        while not pipe.poll():
            begun = time.perf_counter()
            client.command(b"NOOP")
            samples.append(time.perf_counter() - begun)
            time.sleep(0.001)
        pipe.recv()
        pipe.send(samples)


class Prober:
    def __init__(self, options):
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=probe, args=(options, other), daemon=True)
        self.process.start()
        self.pipe.recv()

    def during(self, work):
        """Runs `work`; milliseconds of the NOOPs meanwhile."""
        self.pipe.send("begin")
        work()
        self.pipe.send("end")
        return [1000 * seconds for seconds in self.pipe.recv()]

    def stop(self):
        self.process.terminate()


def opened(options, mailbox=MAILBOX):
    client = Connection(options.address)
    client.login(options.user, options.password)
    client.command(b"SELECT " + mailbox.encode())
    return client


def prepare(options):
    client = Connection(options.address)
    client.login(options.user, options.password)
    status = b""
    try:
        status = client.command(b"STATUS fairness (MESSAGES)")
    except RuntimeError:
        pass
    found = re.search(rb"MESSAGES (\d+)", status)
    if found and int(found.group(1)) == options.messages:
        return client.close()
    if options.maildir is None:
        raise SystemExit(f"The mailbox {MAILBOX} has not {options.messages} messages: tell --maildir")
    write_folder(options.maildir, MAILBOX, options.messages)
    prober = Prober(options)
    report("SELECT, adopting", 1, *measured(prober, lambda: client.command(b"SELECT fairness", False)))
    prober.stop()
    client.close()


def measured(prober, work):
    begun = time.monotonic()
    samples = prober.during(work)
    return time.monotonic() - begun, samples


def report(name, runs, seconds, samples):
    figures = [percentile(samples, 50), percentile(samples, 99), max(samples)] if samples else [0] * 3
    shown = " | ".join(f"{value:.1f}" for value in figures)
    print(f"| {name} | {1000 * seconds / runs:.0f} | {len(samples)} | {shown} |", flush=True)


def repeated(client, commands, seconds):
    """As often as it fits; @returns how often."""
    end = time.monotonic() + seconds
    runs = 0
    while runs == 0 or time.monotonic() < end:
        for command in commands:
            client.command(command, keep=False)
        runs += 1
    return runs


def run(options, prober, client, name, commands):
    runs = []
    seconds, samples = measured(
        prober, lambda: runs.append(repeated(client, commands, options.seconds)))
    report(name, runs[0], seconds, samples)


def watched(options, prober, client, name, before):
    """Another session, whose output is read in a process of its own."""
    reader = multiprocessing.Process(target=watch, args=(options, before), daemon=True)
    reader.start()
    time.sleep(2)
    run(options, prober, client, name, CHANGE)
    reader.terminate()


def watch(options, before):
    client = opened(options)
    for command in before:
        client.command(command)
    client.idle()
    while True:
        client.more()
        client.buffer.clear()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", type=parse_address, default=("127.0.0.1", 1143))
    parser.add_argument("--user", default="bench")
    parser.add_argument("--password", default="pass")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--maildir", help="the account's Maildir, to write the mailbox into")
    parser.add_argument("--restart-cmd", help="to measure the first SELECT, SORT and THREAD, too")
    parser.add_argument("--pid-cmd", help="to wait until nothing goes on in the background")
    parser.add_argument("--seconds", type=float, default=3, help="for each kind of work")
    parser.add_argument("--only", help="names that contain this")
    options = parser.parse_args()
    print("| work | ms each | NOOPs | p50 (ms) | p99 | max |\n|---|---|---|---|---|---|")
    prepare(options)
    wanted = lambda name: options.only is None or options.only.lower() in name.lower()
    if options.restart_cmd:
        for name, command in (("SELECT, cold", b"SELECT fairness"),
                              ("SORT, cold", b"SORT (SUBJECT) UTF-8 ALL"),
                              ("THREAD, cold", b"THREAD REFERENCES UTF-8 ALL")):
            if not wanted(name):
                continue
            restart(options.restart_cmd, options.address)
            prober = Prober(options)
            client = opened(options, "INBOX" if "SELECT" in name else MAILBOX)
            report(name, 1, *measured(prober, lambda: client.command(command, keep=False)))
            prober.stop()
            client.close()
    prober = Prober(options)
    client = opened(options)
    if options.pid_cmd:
        settle(options.pid_cmd)
    try:
        client.command(b"CREATE fairness-copies")
    except RuntimeError:
        pass
    for name, commands in WORK:
        if wanted(name):
            run(options, prober, client, name, commands)
    for name, before in WATCHED:
        if wanted(name):
            watched(options, prober, client, name, before)


if __name__ == "__main__":
    main()
