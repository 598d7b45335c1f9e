"""A session of Python's imaplib over TLS or STARTTLS; every step is checked.

Usage: imaplib_session.py tls|starttls PORT USER PASSWORD CERTIFICATE
Prints "done N" after N steps.
"""

import imaplib
import re
import ssl
import sys

way, port, user, password, certificate = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
steps = 0


def ok(answer, pattern=None):
    """The data of an OK answer; with a pattern, its first match in the data."""
    global steps
    steps += 1
    kind, data = answer
    assert kind == "OK", (kind, data)
    if pattern is None:
        return data
    text = b" ".join(b"".join(d) if isinstance(d, tuple) else d for d in data if d)
    found = re.search(pattern, text, re.DOTALL)
    assert found, (pattern, text)
    return found


def same(got, *wanted):
    assert got in wanted, f"expected {wanted}: got {got}"


def letter(number):
    return (
        f"From: ada@example.org\r\nTo: ben@example.net\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0100\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        f"This is letter {number}, with grüße.\r\n"
    ).encode()


def connect():
    if way == "tls":
        return imaplib.IMAP4_SSL("127.0.0.1", int(port), ssl_context=context, timeout=30)
    client = imaplib.IMAP4("127.0.0.1", int(port), timeout=30)
    assert "STARTTLS" in client.capabilities
    ok(client.starttls(ssl_context=context))
    return client


# a refused login leaves the connection usable
client = connect()
try:
    client.login(user, "wrong")
    raise SystemExit("expected a refusal of the wrong password")
except imaplib.IMAP4.error as error:
    assert "AUTHENTICATIONFAILED" in str(error), error
ok(client.login(user, password))
assert client.state == "AUTH"
assert "IMAP4REV1" in client.capabilities

# AUTHENTICATE with a continuation, since imaplib knows no initial response
second = connect()
ok(second.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode()))

# mailboxes
ok(client.create("Work"))
ok(client.create('"Work/Old things"'))
ok(client.create('"Entw&APw-rfe"'))
ok(client.list(), rb'"/" "?Work"?')
ok(client.list('""', "Work/%"), rb'"Work/Old things"')
ok(client.rename('"Work/Old things"', '"Work/New things"'))
ok(client.subscribe("Work"))
ok(client.lsub(), rb"Work")
ok(client.status("Work", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)"), rb"MESSAGES 0\b.*UNSEEN 0")
assert client.create("Work")[0] == "NO"
assert client.select("No such mailbox".join('""'))[0] == "NO"
client.select()

# append and select
date = '"02-Feb-2026 10:00:00 +0000"'
for number in range(1, 7):
    ok(client.append("Work", "\\Seen" if number == 1 else None, date, letter(number)))
same(ok(client.select("Work")), [b"6"])
assert client.untagged_responses["UIDVALIDITY"]
assert b"\\Deleted" in client.response("FLAGS")[1][0]

# search
same(ok(client.search(None, "ALL")), [b"1 2 3 4 5 6"])
same(ok(client.search(None, "UNSEEN", "SUBJECT", '"letter 3"')), [b"3"])
same(ok(client.search(None, "SEEN")), [b"1"])
client.literal = "grüße".encode()
same(ok(client.search("UTF-8", "BODY")), [b"1 2 3 4 5 6"])
same(ok(client.uid("SEARCH", "SINCE 2-Feb-2026 BEFORE 3-Feb-2026")), [b"1 2 3 4 5 6"])
same(ok(client.search(None, "FROM", "nobody")), [b""], [None])

# fetch
data = ok(client.fetch("2", "(RFC822)"))
assert data[0][1] == letter(2), data
ok(client.fetch("2", "(FLAGS)"), rb"\\Seen")
ok(client.fetch("3", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"), rb"Subject: Letter 3\r\n\r\n")
ok(client.fetch("3", "(ENVELOPE)"), rb'"Letter 3".*"ada" "example.org".*<3@example.org>')
ok(client.fetch("3", "(BODYSTRUCTURE)"), rb'(?i)"text" "plain" \("charset" "utf-8"\)')
ok(client.fetch("1:*", "(UID INTERNALDATE RFC822.SIZE)"), rb"RFC822.SIZE %d\b" % len(letter(6)))
data = ok(client.uid("FETCH", "4", "(BODY.PEEK[TEXT]<5.9>)"))
assert data[0][1] == b"is letter", data

# store, copy, move, expunge
ok(client.store("3", "+FLAGS", "(\\Flagged Project-X)"), rb"\\Flagged")
same(ok(client.search(None, "KEYWORD", "Project-X")), [b"3"])
ok(client.store("3", "FLAGS.SILENT", "(\\Answered)"))
ok(client.fetch("3", "(FLAGS)"), rb"FLAGS \((?=[^)]*Answered)(?![^)]*Flagged)")
ok(client.copy("1:2", '"Work/New things"'))
ok(client.uid("COPY", "3", '"Work/New things"'))
same(ok(client.select('"Work/New things"', readonly=True)), [b"3"])
client.store("1", "+FLAGS", "\\Deleted")
ok(client.fetch("1", "(FLAGS)"), rb"FLAGS \((?![^)]*Deleted)")
ok(client.select("Work"))
ok(client._simple_command("MOVE", "6", '"Entw&APw-rfe"'))
same(client.response("EXPUNGE")[1], [b"6"])
ok(client.status('"Entw&APw-rfe"', "(MESSAGES)"), rb"MESSAGES 1\b")
ok(client.store("4:5", "+FLAGS", "\\Deleted"))
same(ok(client.expunge()), [b"4", b"4"], [b"5", b"4"])
ok(client.store("3", "+FLAGS", "\\Deleted"))
ok(client.uid("EXPUNGE", "1"))
same(ok(client.search(None, "ALL")), [b"1 2 3"])
ok(client.close())

# IDLE, which imaplib of most versions does not know: the raw way
ok(client.select("Work"))
tag = client._new_tag()
client.send(tag + b" IDLE\r\n")
assert client.readline().startswith(b"+")
ok(second.append("Work", None, None, letter(7)))
while b"3 EXISTS" not in (line := client.readline()):
    assert line.startswith(b"* "), line
client.send(b"DONE\r\n")
while not (line := client.readline()).startswith(tag):
    assert line.startswith(b"* "), line
assert line.startswith(tag + b" OK"), line
same(ok(client.search(None, "ALL")), [b"1 2 3"])

# the second client sees what the first one did
same(ok(second.select("Work")), [b"3"])
ok(second.fetch("2", "(FLAGS)"), rb"\\Seen")
ok(second.unselect() if hasattr(second, "unselect") else second.close())
ok(client.close())
ok(client.delete('"Work/New things"'))
assert client.logout()[0] == "BYE"
assert second.logout()[0] == "BYE"
print("done", steps)
