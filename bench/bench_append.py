#!/usr/bin/env python3
"""bench_append.py - many sessions that append at once, server against server in turns.

Python 3.11 standard library only; beside bench_imap.py, whose messages it sends. Each session sends
one APPEND after the other and waits for its OK. The sessions share one mailbox of one account
("one"), have a mailbox each of one account ("own"), or an account each ("users").

  bench_append.py --server imapd=127.0.0.1:1143 --server dovecot=127.0.0.1:20143 \\
      --user 'u{n}' --password pass --sessions 1,16 --where one,own,users --rounds 3 \\
      --pid-cmd imapd='cat imapd.pid'
"""
import argparse
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace

from bench_imap import Msgs, Server, pct

# Removed only at the end: ext4 passes over each inode that was freed in the last minutes, one by one,
# whenever it makes a file, so that a round after a removal would measure that.
MAILBOX = "bench-append"


class Session:
    """One connection: blocking until `start`, then driven by a selector."""

    def __init__(self, address: tuple[str, int], user: str, password: str) -> None:
        self.socket = socket.create_connection(address, 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.left = memoryview(b"")
        self.line()
        self.command(f'LOGIN "{user}" "{password}"')

    def line(self) -> bytes:
        while b"\n" not in self.got:
            piece = self.socket.recv(65536)
            if not piece:
                raise SystemExit("a connection was closed")
            self.got += piece
        line, self.got = self.got.split(b"\n", 1)
        return line

    def command(self, text: str, may_fail: bool = False) -> bytes:
        self.socket.sendall(b"x " + text.encode() + b"\r\n")
        answer = b""
        while not (line := self.line()).startswith(b"x "):
            answer += line
        if not line.startswith(b"x OK") and not may_fail:
            raise SystemExit(f"{text}: {line!r}")
        return answer

    def start(self, mailbox: str, messages: list[bytes]) -> None:
        self.mailbox = mailbox.encode()
        self.messages = iter(messages)
        self.latencies: list[float] = []
        self.socket.setblocking(False)
        self.next()

    def next(self) -> bool:
        message = next(self.messages, None)
        if message is None:
            return False
        # LITERAL+: no round trip before the message.
        text = b"x APPEND %s {%d+}\r\n%s\r\n" % (self.mailbox, len(message), message)
        self.left = memoryview(text)
        self.began = time.perf_counter()
        self.send()
        return True

    def send(self) -> None:
        while len(self.left):
            try:
                self.left = self.left[self.socket.send(self.left):]
            except BlockingIOError:
                return

    def receive(self) -> bool:
        """False when all messages are stored."""
        piece = self.socket.recv(65536)
        if not piece:
            raise SystemExit("a connection was closed")
        self.got += piece
        while b"\n" in self.got:
            line, self.got = self.got.split(b"\n", 1)
            if not line.startswith(b"x "):
                continue
            if not line.startswith(b"x OK"):
                raise SystemExit(f"APPEND: {line!r}")
            self.latencies.append(time.perf_counter() - self.began)
            return self.next()
        return True


def drive(sessions: list[Session]) -> None:
    def wanted(session: Session) -> int:
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if len(session.left) else 0)

    selector = selectors.DefaultSelector()
    for session in sessions:
        selector.register(session.socket, wanted(session), session)
    while selector.get_map():
        for key, events in selector.select(60):
            session = key.data
            if events & selectors.EVENT_WRITE:
                session.send()
            if events & selectors.EVENT_READ and not session.receive():
                selector.unregister(session.socket)
            elif key.events != wanted(session):
                selector.modify(session.socket, wanted(session), session)


def places(where: str, count: int, user: str, mailbox: str) -> list[tuple[str, str]]:
    """User and mailbox of each session."""
    if where == "one":
        return [(user.format(n=1), mailbox)] * count
    if where == "own":
        return [(user.format(n=1), f"{mailbox}-{n}") for n in range(count)]
    return [(user.format(n=n + 1), mailbox) for n in range(count)]


def run(server: Server, args: argparse.Namespace, spots: list[tuple[str, str]], messages: list[bytes]) -> dict:
    address = (server.host, server.port)
    count = len(spots)
    sessions = [Session(address, user, args.password) for user, _ in spots]
    fresh = dict(zip(spots, sessions))
    for (_, mailbox), session in fresh.items():
        session.command(f"CREATE {mailbox}")
    cpu = server.cpu()
    began = time.perf_counter()
    for at, (session, (_, mailbox)) in enumerate(zip(sessions, spots)):
        session.start(mailbox, messages[at::count])
    drive(sessions)
    seconds = time.perf_counter() - began
    used = None if cpu is None else (server.cpu() - cpu) * 1000 / len(messages)
    stored = 0
    for (_, mailbox), session in fresh.items():
        session.socket.setblocking(True)
        answer = session.command(f"STATUS {mailbox} (MESSAGES)")
        stored += int(re.search(rb"MESSAGES (\d+)", answer)[1])
    if stored != len(messages):
        raise SystemExit(f"{server.name}: {stored} of {len(messages)} messages are there")
    for session in sessions:
        session.socket.close()
    latencies = [each for session in sessions for each in session.latencies]
    return {"per s": len(messages) / seconds, "p50 ms": pct(latencies, 50) * 1000,
            "p99 ms": pct(latencies, 99) * 1000, "cpu ms": used}


def remove(server: Server, args: argparse.Namespace, used: set[tuple[str, str]]) -> None:
    for user in {user for user, _ in used}:
        session = Session((server.host, server.port), user, args.password)
        for mailbox in sorted(mailbox for owner, mailbox in used if owner == user):
            session.command(f"DELETE {mailbox}", may_fail=True)
        session.socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--server", action="append", required=True, metavar="NAME=HOST:PORT")
    parser.add_argument("--pid-cmd", action="append", default=[], metavar="NAME=COMMAND",
                        help="prints the server's process id, for its CPU time")
    parser.add_argument("--user", default="u{n}")
    parser.add_argument("--password", default="pass")
    parser.add_argument("--sessions", default="16")
    parser.add_argument("--where", default="one,own,users")
    parser.add_argument("--messages", type=int, default=1600)
    parser.add_argument("--size", default="2000-100000", help="octets of a message, from-to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    pid_commands = dict(each.split("=", 1) for each in args.pid_cmd)
    servers = []
    for each in args.server:
        name, _, address = each.partition("=")
        host, _, port = address.rpartition(":")
        servers.append(Server(host, int(port), args.user, args.password, name, SimpleNamespace(),
                              pidcmd=pid_commands.get(name)))
    low, high = map(int, args.size.split("-"))
    made = Msgs(args.seed, low, high, "append")
    messages = [made.get(at) for at in range(args.messages)]
    print(f"{len(messages)} messages, {sum(map(len, messages)) / 1e6:.1f} MB")
    print(f"{'where':7}{'sessions':>9} {'':8}" + "".join(f"{s.name:>12}" for s in servers) + f"{'ratio':>8}")
    used: set[tuple[str, str]] = set()
    run_id = int(time.time())
    for where in args.where.split(","):
        for count in map(int, args.sessions.split(",")):
            results: list[list[dict]] = [[] for _ in servers]
            for round in range(args.rounds):
                spots = places(where, count, args.user, f"{MAILBOX}-{run_id}-{where}-{count}-{round}")
                used.update(spots)
                for server, rounds in zip(servers, results):
                    rounds.append(run(server, args, spots, messages))
            for key in results[0][0]:
                values = [[each[key] for each in rounds] for rounds in results]
                if any(None in each for each in values):
                    continue
                medians = [statistics.median(each) for each in values]
                first, last = medians[0], medians[-1]
                ratio = first / last if key == "per s" else last / max(first, 1e-9)
                print(f"{where:7}{count:>9} {key:8}" + "".join(f"{each:12.2f}" for each in medians)
                      + (f"{ratio:8.2f}" if len(servers) > 1 else ""))
            sys.stdout.flush()
    for server in servers:
        remove(server, args, used)


if __name__ == "__main__":
    main()
