"""What the benchmark clients of this folder share: a connection, and what /proc tells of a server."""
import os, re, socket, ssl, subprocess, time, zlib


def tls_context():
    """One context for all connections: making one for each costs more than what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Connection:
    """One blocking connection; commands are bytes without tag and CRLF."""

    def __init__(self, address, tls=None, source=None, patience=300):
        # Many connections from one address run out of ports: `source` gives them another one.
        bound = (source, 0) if source else None
        self.socket = socket.create_connection(address, timeout=patience, source_address=bound)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket)
        self.inflater = self.deflater = None
        self.buffer = bytearray()
        self.count = 0
        self.line()

    def more(self):
        octets = self.socket.recv(1 << 20)
        if not octets:
            raise ConnectionError("the server closed the connection")
        self.buffer += self.inflater.decompress(octets) if self.inflater else octets

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        line, _, rest = self.buffer.partition(b"\n")
        self.buffer = bytearray(rest)
        return bytes(line.rstrip(b"\r"))

    def send(self, octets):
        if self.deflater:
            octets = self.deflater.compress(octets) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(octets)

    def begin(self, command):
        """Sends a command, whose answer {@link end} waits for."""
        self.count += 1
        tag = b"t%d" % self.count
        self.send(tag + b" " + command + b"\r\n")
        return tag

    def end(self, tag, keep=True):
        """All that comes up to a tagged OK. Without `keep` only its end is held."""
        ending = b"\r\n" + tag + b" "
        kept = bytearray(b"\r\n") + self.buffer
        self.buffer = bytearray()
        searched = 0
        while True:
            at = kept.find(ending, searched)
            end = kept.find(b"\r\n", at + 2) if at >= 0 else -1
            if end >= 0:
                break
            searched = at if at >= 0 else max(0, len(kept) - len(ending))
            if not keep and searched > 1 << 20:
                del kept[:searched]
                searched = 0
            self.more()
            kept += self.buffer
            self.buffer = bytearray()
        self.buffer = kept[end + 2:]
        line = bytes(kept[at + 2:end])
        if not line[len(tag) + 1:].upper().startswith(b"OK"):
            raise RuntimeError(line.decode("utf-8", "replace"))
        return bytes(kept[2:end])

    def command(self, command, keep=True):
        return self.end(self.begin(command), keep)

    def login(self, user, password):
        self.command(b"LOGIN %s %s" % (user.encode(), password.encode()))

    def compress(self):
        self.command(b"COMPRESS DEFLATE")
        # Little memory, since there may be thousands of clients here.
        self.deflater = zlib.compressobj(6, zlib.DEFLATED, -9, 1)
        self.inflater = zlib.decompressobj(-15)

    def idle(self):
        self.begin(b"IDLE")
        while not self.line().startswith(b"+"):
            pass

    def close(self):
        self.socket.close()


def process_ids(command):
    """The processes that a shell command names, with all that descend from them."""
    roots = [int(word) for word in subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True).stdout.split()]
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry))
            except OSError:
                pass
    found = []
    while roots:
        pid = roots.pop()
        found.append(pid)
        roots += children.get(pid, [])
    return found


def memory(command):
    """KB of Pss of these processes."""
    total = 0
    for pid in process_ids(command):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as lines:
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def cpu_seconds(command):
    """What these processes have used of the processor so far."""
    total = 0
    for pid in process_ids(command):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                words = stat.read().rsplit(")", 1)[1].split()
            total += int(words[11]) + int(words[12])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def settle(pid_cmd, patience=300):
    """Waits until the server has nothing more to do in the background."""
    end = time.monotonic() + patience
    used = cpu_seconds(pid_cmd)
    while time.monotonic() < end:
        time.sleep(2)
        now = cpu_seconds(pid_cmd)
        if now - used < 0.1:
            return
        used = now


def exists(response):
    """How many messages SELECT found."""
    found = re.search(rb"\* (\d+) EXISTS", response, re.I)
    return int(found.group(1)) if found else 0


def restart(command, address, patience=60):
    """Restarts a server, and waits until it answers."""
    subprocess.run(command, shell=True, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + patience
    while True:
        try:
            Connection(address).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def parse_address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)
