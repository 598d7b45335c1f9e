#!/usr/bin/env python3
"""bench_lmtp.py - deliveries per second over LMTP, server against server in turns.

Python 3.11 standard library only. Each connection delivers one message after the other, each to one
recipient, and waits for the reply after the message; only 250 counts.

  bench_lmtp.py --server imapd=/run/imapd/lmtp.sock --server dovecot=/run/dovecot/lmtp \
      --recipient 'u{n}@example.org' --accounts 20 --messages 1000 --connections 1,8 --rounds 3
"""
import argparse
import random
import socket
import statistics
import threading
import time


def message(size: int, seed: int) -> bytes:
    words = random.Random(seed)
    head = (f"From: Ann <ann@example.net>\r\nTo: Bob <bob@example.org>\r\nSubject: message {seed}\r\n"
            f"Date: Wed, 25 Nov 2026 08:00:00 +0000\r\nMessage-ID: <{seed}@bench.example.net>\r\n\r\n")
    lines = []
    octets = len(head)
    while octets < size:
        line = "".join(words.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(70)) + "\r\n"
        lines.append(line)
        octets += len(line)
    return (head + "".join(lines)).encode()


class Client:
    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.replies(1)
        self.say(b"LHLO bench.example.net\r\n", 1)

    def replies(self, count: int) -> None:
        while count:
            line = self.file.readline()
            if line[:1] not in (b"2", b"3"):
                raise SystemExit(f"refused: {line!r}")
            if line[3:4] == b" ":
                count -= 1

    def say(self, text: bytes, count: int) -> None:
        self.socket.sendall(text)
        self.replies(count)

    def deliver(self, recipient: str, text: bytes) -> None:
        self.say(b"MAIL FROM:<ann@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\n" % recipient.encode(), 3)
        self.say(text + b".\r\n", 1)


def run(path: str, args: argparse.Namespace, connections: int, messages: list[bytes]) -> float:
    clients = [Client(path) for _ in range(connections)]
    share = args.messages // connections

    def work(at: int) -> None:
        for n in range(share):
            number = at * share + n
            account = number % args.accounts + 1
            clients[at].deliver(args.recipient.format(n=account), messages[number % len(messages)])

    threads = [threading.Thread(target=work, args=(at,)) for at in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return share * connections / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--server", action="append", required=True, metavar="NAME=SOCKET")
    parser.add_argument("--recipient", default="u{n}@example.org")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--connections", default="1,8")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    servers = [each.split("=", 1) for each in args.server]
    messages = [message(args.size, seed) for seed in range(50)]
    for _, path in servers:  # accounts, caches and code
        client = Client(path)
        for n in range(args.accounts):
            client.deliver(args.recipient.format(n=n + 1), messages[0])
    for connections in map(int, args.connections.split(",")):
        rates: dict[str, list[float]] = {name: [] for name, _ in servers}
        for _ in range(args.rounds):
            for name, path in servers:
                rates[name].append(run(path, args, connections, messages))
        medians = {name: statistics.median(each) for name, each in rates.items()}
        text = ", ".join(f"{name} {rate:.0f}/s" for name, rate in medians.items())
        first, *others = medians.values()
        ratios = ", ".join(f"{first / other:.2f}" for other in others)
        print(f"{connections} connection(s): {text}; ratio {ratios}  {rates}")


if __name__ == "__main__":
    main()
