#!/usr/bin/env python3
"""Memory of an idle connection: opens connections to an IMAP server, leaves them in IDLE, and
tells by how much the Pss of the server's processes grew.

  bench/idle_memory.py --address 127.0.0.1:1143 --tls 127.0.0.1:1993 --user bench --password pass \\
    --pid-cmd 'cat imapd.pid' --restart-cmd ./restart

Kinds of connection: plain, tls, deflate (TLS, COMPRESS and NOTIFY; where the server has no NOTIFY,
without it), notify (TLS with NOTIFY, and no IDLE). The mailbox gets 500 messages where it has
fewer. A second figure is taken some seconds later, with what was collected meanwhile."""
import argparse, resource, time
from imap_client import Connection, exists, memory, parse_address, restart, tls_context

MESSAGE = b"From: a@example.org\r\nSubject: %d\r\n\r\nText\r\n"
NOTIFY = (b"NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange)) "
          b"(PERSONAL (MessageNew MessageExpunge MailboxName))")


def fill(options):
    client = Connection(options.address)
    client.login(options.user, options.password)
    for n in range(exists(client.command(b"SELECT INBOX")), options.messages):
        message = MESSAGE % n
        tag = client.begin(b"APPEND INBOX {%d}" % len(message))
        while not client.line().startswith(b"+"):
            pass
        client.send(message + b"\r\n")
        client.end(tag)
    client.close()


def open_one(options, kind, tls):
    client = Connection(options.tls if tls else options.address, tls)
    client.login(options.user, options.password)
    client.command(b"SELECT INBOX")
    if kind == "deflate":
        try:
            client.command(NOTIFY)
        except RuntimeError:
            pass
        client.compress()
    if kind == "notify":
        client.command(NOTIFY)
    else:
        client.idle()
    return client


def measure(options, kind):
    if options.restart_cmd:
        restart(options.restart_cmd, options.address)
    tls = None if kind == "plain" else tls_context()
    open_one(options, kind, tls).close()
    time.sleep(options.rest)
    before = memory(options.pid_cmd)
    clients, growth, seconds = [], [], 0
    for count in options.connections:
        started = time.monotonic()
        while len(clients) < count:
            clients.append(open_one(options, kind, tls))
        seconds += time.monotonic() - started
        time.sleep(options.rest)
        growth.append((memory(options.pid_cmd) - before) / count)
    time.sleep(options.later)
    later = (memory(options.pid_cmd) - before) / len(clients)
    for client in clients:
        client.close()
    shown = " | ".join(f"{value:.1f}" for value in growth)
    rate = len(clients) / seconds
    print(f"| {kind} | {before / 1024:.0f} | {shown} | {later:.1f} | {rate:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", type=parse_address, default=("127.0.0.1", 1143))
    parser.add_argument("--tls", type=parse_address, default=("127.0.0.1", 1993))
    parser.add_argument("--user", default="bench")
    parser.add_argument("--password", default="pass")
    parser.add_argument("--pid-cmd", required=True, help="prints the process id of the server")
    parser.add_argument("--restart-cmd", help="has each kind begin with a fresh server")
    parser.add_argument("--kinds", default="plain,tls,deflate,notify")
    parser.add_argument("--connections", default="100,1000", help="how many, in steps")
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--rest", type=float, default=1.5, help="seconds before each look")
    parser.add_argument("--later", type=float, default=10, help="seconds before the last look")
    options = parser.parse_args()
    options.connections = [int(word) for word in options.connections.split(",")]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.restart_cmd:
        restart(options.restart_cmd, options.address)
    fill(options)
    heads = " | ".join(f"{count} (KB each)" for count in options.connections)
    print(f"| kind | before (MB) | {heads} | later (KB each) | per s |")
    print("|---" * (len(options.connections) + 4) + "|")
    for kind in options.kinds.split(","):
        measure(options, kind)


if __name__ == "__main__":
    main()
