"""Large mailboxes of short messages, written straight into a folder of a Maildir."""
import os, random, shutil, time

NAMES = ["Ann", "Bob", "Carol", "Dmitri", "Eiji", "Frida", "Goran", "Hana", "Ivo", "Jose", "Kim", "Lars"]
WORDS = ("report meeting lunch invoice garden server holiday photo ticket order music travel kitchen "
         "project budget train window paper letter winter summer morning evening question answer").split()


def message(n, seed):
    """The same for the same numbers. A third are replies; bodies have 300 to 600 octets."""
    choose = random.Random(seed * 1_000_003 + n)
    name, to = choose.choice(NAMES), choose.choice(NAMES)
    topic = n // 3 * 3
    subject = f"{WORDS[topic % len(WORDS)]} {topic}"
    reply = f"In-Reply-To: <{topic}.{seed}@example.org>\nReferences: <{topic}.{seed}@example.org>\n"
    date = time.strftime("%d %b %Y %H:%M:%S +0000", time.gmtime(1_500_000_000 + n * 600))
    body = " ".join(choose.choices(WORDS, k=60))
    return (f"From: {name} <{name.lower()}@example.org>\nTo: {to} <{to.lower()}@example.com>\n"
            f"Subject: {'Re: ' if n != topic else ''}{subject}\nDate: {date}\n"
            f"Message-ID: <{n}.{seed}@example.org>\n{reply if n != topic else ''}"
            f"Content-Type: text/plain; charset=utf-8\n\n{body}\n").encode()


def write_folder(maildir, mailbox, count, seed=1):
    """Makes `mailbox` anew with so many messages, nine of ten of them seen."""
    folder = maildir if mailbox == "INBOX" else os.path.join(maildir, f".{mailbox}")
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, name), mode=0o700)
    cur = os.path.join(folder, "cur")
    for n in range(count):
        flags = "" if n % 10 == 0 else "S"
        path = f"{cur}/{1_500_000_000 + n}.M{n}P{seed}.bench:2,{flags}"
        with open(path, "wb", buffering=0) as file:
            file.write(message(n, seed))
    owner = os.stat(maildir)
    if os.getuid() == 0 and owner.st_uid != 0:
        for root, _, files in os.walk(folder):
            os.chown(root, owner.st_uid, owner.st_gid)
            for name in files:
                os.chown(os.path.join(root, name), owner.st_uid, owner.st_gid)
