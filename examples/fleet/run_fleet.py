#!/usr/bin/env python3
"""
run_fleet.py - make fleet: a Redis server of its own on loopback, workers that are killed, and everything that must hold

    run_fleet.py [--build build] [--short] [--seed N] [--only PART]...

Parts: killed, memory, stored, tokens, disk, connection, speed. The server is a child of this program, keeps its data in
BUILD/fleet/data, and listens on a socket there and on no port. The last line is the count of what was tested.
"""
import argparse
import os
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

PARTITIONS = 12
STORED_HEAD = 24    # layout.h
RECORD_HEAD = 16


class Client:
    """As much of Redis's protocol as this takes: commands out, replies in."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def reply(self):
        line = self.file.readline()
        if not line:
            raise OSError("connection lost")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise OSError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return rest

    def many(self, commands):
        message = b""
        for command in commands:
            parts = [p if isinstance(p, bytes) else str(p).encode() for p in command]
            message += b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)
        self.socket.sendall(message)
        return [self.reply() for _ in commands]

    def __call__(self, *command):
        return self.many([command])[0]


def key(partition, name):
    return f"fleet:{{{partition}}}:{name}"


class Fleet:
    """The server, the workers and the producer of a test."""

    def __init__(self, build):
        self.folder = os.path.join(build, "fleet")
        self.data = os.path.join(self.folder, "data")
        self.program = os.path.join(self.folder, "fleet")
        # A socket's path may have 107 bytes at most: a build folder may be deeper than that.
        self.path = os.path.relpath(os.path.join(self.data, "socket"))
        self.server = self.producer = None
        self.workers, self.n_workers = [], 0
        self.ask = None

    def start_server(self, fresh=True):
        if fresh:
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.rmtree(os.path.join(self.folder, "log"), ignore_errors=True)
            os.makedirs(os.path.join(self.folder, "log"))
        os.makedirs(self.data, exist_ok=True)
        command = ["redis-server", "--port", "0", "--unixsocket", os.path.abspath(self.path) if len(os.path.abspath(self.path))
                   < 100 else "socket", "--dir", self.data, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
                   "--logfile", os.path.abspath(os.path.join(self.folder, "log", "server")), "--daemonize", "no"]
        # A file at its limit is to be an error of a write, as on a full disk, not a signal.
        self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL,
                                       restore_signals=False, preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        self.connect()

    def connect(self):
        for _ in range(600):
            try:
                self.ask = Client(self.path)
                self.ask("PING")
                return
            except OSError:
                time.sleep(0.05)
        fail("the server does not start; see " + os.path.join(self.folder, "log", "server"))

    def arguments(self, traffic):
        return ["--store", self.path, "--partitions", PARTITIONS] + [str(x) for k, v in traffic.items() for x in ("--" + k, v)]

    def run(self, verb, traffic):
        done = subprocess.run([self.program, verb] + [str(a) for a in self.arguments(traffic)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            fail(f"fleet {verb}: {done.stderr.strip()}")
        return done.stdout.strip()

    def produce(self, traffic, rate=0):
        self.producer = subprocess.Popen([self.program, "produce"] + [str(a) for a in self.arguments(traffic)]
                                         + ["--rate", str(rate)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start_worker(self, model, *options):
        self.n_workers += 1
        name = f"w{self.n_workers}"
        log = open(os.path.join(self.folder, "log", name), "w")
        worker = subprocess.Popen([self.program, "worker", "--store", self.path, "--partitions", str(PARTITIONS),
                                   "--model", model, "--name", name] + [str(o) for o in options],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        worker.fleet_name = name
        self.workers.append(worker)
        return worker

    def log(self, worker):
        with open(os.path.join(self.folder, "log", worker.fleet_name)) as f:
            return f.read()

    def kill(self, worker):
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def kill_server(self):
        """And starts it again, with its append-only file."""
        self.server.kill()
        self.server.wait()
        self.start_server(fresh=False)

    def expect_alive(self):
        for worker in self.workers:
            if worker.poll() is not None:
                fail(f"worker {worker.fleet_name} ended: {self.log(worker)[-300:]}")

    def stop_workers(self):
        """Ends them in peace; their last words: a dictionary each."""
        words = []
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)
            if worker.returncode:
                fail(f"worker {worker.fleet_name} ended with {worker.returncode}: {self.log(worker)[-300:]}")
            last = self.log(worker).strip().splitlines()[-1]
            words.append({k: float(v) for k, v in (w.split("=") for w in last.split()[1:])})
        self.workers = []
        return words

    def stop(self):
        for process in self.workers + [self.producer, self.server]:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def done(self):
        try:
            counts = self.ask.many([("HGET", key(p, "meta"), "done") for p in range(PARTITIONS)])
            return sum(int(c or 0) for c in counts)
        except OSError:
            self.connect()
            return self.done()

    def owners(self):
        return [o and o.decode() for o in self.ask.many([("HGET", key(p, "meta"), "owner") for p in range(PARTITIONS)])]

    def wait(self, n, what, each=None):
        patience = Patience(what)
        while True:
            done = self.done()
            patience.see(done)
            progress(f"{what}: {done:,} of {n:,} events")
            if done >= n:
                return
            self.expect_alive()
            if each:
                each()
            time.sleep(0.02)


class Patience:
    """A machine may be slow, but something must move: fails when nothing has for two minutes."""

    def __init__(self, what):
        self.what, self.last, self.since = what, None, time.monotonic()

    def see(self, done):
        if done != self.last:
            self.last, self.since = done, time.monotonic()
        elif time.monotonic() - self.since > 120:
            fail(f"{self.what}: nothing has moved for 120 s; {done:,} events are done")


passed = 0
shown = 0


def progress(text):
    global shown
    if sys.stdout.isatty() and time.monotonic() - shown > 0.1:
        shown = time.monotonic()
        print("\r\033[K" + text[:shutil.get_terminal_size().columns - 1], end="", flush=True)
    elif not sys.stdout.isatty() and time.monotonic() - shown > 15:
        shown = time.monotonic()
        print("      ... " + text, flush=True)


def say(text):
    print(("\r\033[K" if sys.stdout.isatty() else "") + text, flush=True)


def ok(text):
    global passed
    passed += 1
    say("ok    " + text)


def fail(reason):
    raise SystemExit("\nFAIL  " + reason + f"\n{passed} passed, 1 failed")


def expect(truth, text, otherwise):
    if not truth:
        fail(f"{text}: {otherwise}")
    ok(text)


# ------------------------------------------------------------------------------------------------------------------ the parts

class Frozen:
    """One worker that is stopped (SIGSTOP) until others own its partitions, and goes on then: its late commit is refused."""

    def __init__(self, fleet, after):
        self.fleet, self.after = fleet, after
        self.worker = self.since = None
        self.refused = ""

    def busy(self):
        return self.worker is not None

    def look(self, done):
        """Called again and again; takes the next step when it is time."""
        now = time.monotonic()
        if not self.refused and not self.worker and done > self.after:
            owners = self.fleet.owners()
            self.worker = next((w for w in self.fleet.workers if w.fleet_name in owners), None)
            if self.worker:
                self.worker.send_signal(signal.SIGSTOP)
        elif self.worker and not self.since and self.worker.fleet_name not in self.fleet.owners():
            self.since = now
        elif self.since and not self.refused and now > self.since + 0.3:   # the new owners have committed by now
            self.worker.send_signal(signal.SIGCONT)
            self.refused = next((line.split(": ", 1)[1] for line in self.fleet.log(self.worker).splitlines()
                                 if "refused: STALE" in line), "")
            if now > self.since + 60:
                fail(f"{self.worker.fleet_name} was frozen until others had its partitions, but no late commit was refused")
            if self.refused:
                self.worker = None


class Kills:
    """
    Workers are killed at random moments, `aim` of them. The events come in stages, a kill at a random place of each, so that
    a busy machine and a quiet one see as many; the producer is always two stages ahead.
    """

    def __init__(self, fleet, traffic, aim, server_aim, chance):
        self.fleet, self.traffic, self.aim, self.server_aim, self.chance = fleet, traffic, aim, server_aim, chance
        self.stage = traffic["events"] / (aim + 2)
        self.kills = self.restarts = self.sent = 0
        self.next_kill = self.stage * chance.uniform(0.1, 0.9)

    def keep_sending(self):
        if self.fleet.producer and self.fleet.producer.poll() is None:
            return
        end = self.traffic["events"] if self.kills >= self.aim else int(self.stage * (self.kills + 2))
        if end > self.sent:
            self.sent = end
            self.fleet.produce(dict(self.traffic, events=end))

    def look(self, done, frozen, start_worker):
        self.keep_sending()
        if self.kills >= self.aim or done < self.next_kill:
            return
        time.sleep(self.chance.uniform(0, 0.02))   # whatever a worker may be at
        self.fleet.kill(self.chance.choice([w for w in self.fleet.workers if w is not frozen.worker]))
        start_worker()
        self.kills += 1
        self.next_kill = self.stage * (self.kills + self.chance.uniform(0.1, 0.9))
        # Not while one is frozen: it would notice the lost connection, not the lost partition.
        if not frozen.busy() and self.restarts < self.kills * (self.server_aim + 1) // (self.aim + 1):
            self.fleet.kill_server()
            self.restarts += 1


def killed(fleet, args):
    """Workers are killed, one is frozen and goes on, the server is killed: nothing lost, nothing twice, all bits equal."""
    traffic = dict(model=args.digits, streams=3000 if args.short else 10000, events=160000 if args.short else 2000000,
                   bad=997, seed=7)
    aim, server_aim = (8, 1) if args.short else (32, 3)
    options = ("--states", 1000 if args.short else 6000, "--lease", 3000, "--every", 64, "--window", 20000)
    frozen, kills = Frozen(fleet, traffic["events"] / 4), Kills(fleet, traffic, aim, server_aim, random.Random(args.seed))
    for _ in range(3):
        fleet.start_worker(args.digits, *options)
    begin, patience = time.monotonic(), Patience("killed")
    while True:
        done = fleet.done()
        progress(f"killed: {done:,} of {traffic['events']:,} events, {kills.kills} workers killed, {kills.restarts} servers, "
                 f"{'one frozen' if frozen.busy() else 'late commit refused' if frozen.refused else ''}")
        if done >= traffic["events"] and frozen.refused:
            break
        patience.see(done)
        frozen.look(done)
        kills.look(done, frozen, lambda: fleet.start_worker(args.digits, *options))
        fleet.expect_alive()
        time.sleep(0.005)
    seconds = time.monotonic() - begin
    fleet.producer.wait()
    words = fleet.stop_workers()
    expect(kills.kills >= aim and kills.restarts == server_aim,
           f"{traffic['events']:,} events of {traffic['streams']:,} streams in {seconds:.0f} s; 3 workers killed "
           f"{kills.kills} times, the server {kills.restarts}",
           f"{kills.kills} kills and {kills.restarts} restarts are too few")
    ok("a worker frozen until others had its work, then continued: " + frozen.refused)
    ok(fleet.run("check", traffic))
    say(f"      (the last workers took {sum(w['took'] for w in words):,.0f}, replayed "
        f"{sum(w['replayed'] for w in words):,.0f}, loaded {sum(w['loaded'] for w in words):,.0f} states)")


def resident(worker):
    with open(f"/proc/{worker.pid}/status") as f:
        return next((int(line.split()[1]) for line in f if line.startswith("VmRSS")), 0) / 1024


def memory(fleet, args):
    """Ten times as many streams as a worker holds: states come and go, the memory stays."""
    streams = 2000 if args.short else 10000
    states = streams // 10
    events = 40000 if args.short else 150000
    traffic = dict(model=args.digits, streams=streams, events=events, seed=3)
    worker = fleet.start_worker(args.digits, "--states", states, "--trim")
    while "claimed" not in fleet.log(worker):
        time.sleep(0.02)
    time.sleep(0.5)
    empty, sizes = resident(worker), []
    fleet.produce(traffic, 0)
    fleet.wait(events, "memory", each=lambda: sizes.append((fleet.done(), resident(worker))))
    peak = max(size for _, size in sizes)
    early = max(size for done, size in sizes if done < events / 2)
    words = fleet.stop_workers()[0]
    left = sum(fleet.ask.many([("XLEN", key(p, "events")) for p in range(PARTITIONS)]))
    ok(fleet.run("check", traffic))
    # What a round can hold besides the states: events, replies, stored states on their way in and out, of at most `states`.
    room = 5 + states * 6 * 8192 / 2**20
    expect(words["loaded"] > events / 4 and peak <= empty + room and peak <= early + 3,
           f"{streams:,} streams, {states:,} states fit: {words['loaded']:,.0f} came back from the store; resident "
           f"{empty:.1f} MB when idle, at most {early:.1f} MB in the first half, {peak:.1f} MB in all",
           f"loaded {words['loaded']:.0f}, resident {empty:.1f}, {early:.1f}, {peak:.1f} MB; allowed {empty + room:.1f} MB")
    expect(left <= events / 2, f"--trim: {left:,} of {events:,} events are left in the logs", f"{left} are left")


def stream_outputs(fleet, width):
    """All outputs: stream -> list of (step, bits)."""
    outputs = {}
    for p in range(PARTITIONS):
        for _, fields in fleet.ask("XRANGE", key(p, "outputs"), "-", "+"):
            rows = fields[1]
            for at in range(0, len(rows), RECORD_HEAD + 4 * width):
                stream, step = struct.unpack_from("<QQ", rows, at)
                outputs.setdefault(stream, []).append((step, rows[at + RECORD_HEAD:at + RECORD_HEAD + 4 * width]))
    return outputs


def dead_letters(fleet):
    """(stream, reason) of each."""
    return [(fields[3].decode(), fields[7].decode()) for p in range(PARTITIONS)
            for _, fields in fleet.ask("XRANGE", key(p, "dead"), "-", "+")]


def find_state(fleet, stream):
    for p in range(PARTITIONS):
        value = fleet.ask("HGET", key(p, "states"), stream)
        if value is not None:
            return p, value
    fail(f"stream {stream} has no stored state")


def damages(fleet, foreign):
    """What is done to the stored states of five streams, and the reasons that follow."""
    flipped = bytearray(find_state(fleet, 1)[1])
    flipped[-700] ^= 4
    version = bytearray(find_state(fleet, 4)[1])
    version[STORED_HEAD + 8] ^= 0x40
    place = bytearray(find_state(fleet, 6)[1])
    place[0] ^= 1                      # the position of its last event
    return {1: (bytes(flipped), "snapshot"), 2: (find_state(fleet, 2)[1][:-1], "snapshot"), 3: (foreign, "model"),
            4: (bytes(version), ""), 5: (find_state(fleet, 7)[1], "snapshot"), 6: (bytes(place), "snapshot"),
            8: (b"", "snapshot")}


def stored(fleet, args):
    """Stored states of another model, version or stream, and damaged ones: their events are dead letters, the rest goes on."""
    first, second = 10000, 20000
    traffic = dict(model=args.digits, streams=100, events=second, seed=5)
    fleet.run("produce", dict(traffic, model=args.digits_q8, events=1000))   # for a snapshot of another model
    fleet.start_worker(args.digits_q8)
    fleet.wait(1000, "stored, another model")
    fleet.stop_workers()
    foreign = find_state(fleet, 3)[1]
    fleet.ask("FLUSHALL")

    fleet.run("produce", dict(traffic, events=first))
    fleet.start_worker(args.digits)
    fleet.wait(first, "stored, before the damage")
    fleet.stop_workers()
    damaged = damages(fleet, foreign)
    before = {stream: len(rows) for stream, rows in stream_outputs(fleet, 10).items()}
    for stream, (value, _) in damaged.items():
        fleet.ask("HSET", key(find_state(fleet, stream)[0], "states"), stream, value)
    fleet.run("produce", traffic)
    fleet.start_worker(args.digits)
    fleet.wait(second, "stored, after the damage")
    fleet.stop_workers()
    outputs, dead = stream_outputs(fleet, 10), dead_letters(fleet)

    fleet.ask("FLUSHALL")
    fleet.run("produce", traffic)
    fleet.start_worker(args.digits)
    fleet.wait(second, "stored, without damage")
    fleet.stop_workers()
    fleet.run("check", traffic)
    whole = stream_outputs(fleet, 10)
    for stream, (_, word) in damaged.items():
        reasons = [r for s, r in dead if s == str(stream)]
        expected = len(whole[stream]) - before[stream]
        if len(reasons) != expected or len(set(reasons)) != 1 or word not in reasons[0]:
            fail(f"stream {stream}: {len(reasons)} dead letters, not {expected}; reasons {set(reasons)}")
        if outputs[stream] != whole[stream][:before[stream]]:
            fail(f"stream {stream}: outputs after the damage")
    others = [s for s in whole if s not in damaged]
    expect(len(dead) == sum(len(whole[s]) - before[s] for s in damaged) and all(outputs[s] == whole[s] for s in others),
           f"stored states damaged, cut, empty, of another model, version, stream or place: {len(dead):,} events of "
           f"{len(damaged)} streams are dead letters ({'; '.join(sorted(set(r for _, r in dead)))}), {len(others)} streams "
           "went on",
           "other streams suffered")


def tokens(fleet, args):
    """A model of tokens, and tokens that it has not."""
    traffic = dict(model=args.bytes, streams=12, events=1500, bad=20, seed=9)
    fleet.run("produce", traffic)
    for _ in range(2):
        fleet.start_worker(args.bytes, "--states", 16, "--lease", 3000)
    fleet.wait(1500, "tokens")
    fleet.stop_workers()
    ok("a model of tokens: " + fleet.run("check", traffic))
    reasons = sorted(set(reason for _, reason in dead_letters(fleet)))
    expect(any("vocabulary" in r for r in reasons), "foreign tokens and streams: " + "; ".join(reasons), f"reasons: {reasons}")


def disk(fleet, args):
    """The server's disk is full for a while: it refuses to write, the workers wait, nothing is lost."""
    traffic = dict(model=args.digits, streams=300, events=60000, bad=997, seed=13)
    fleet.produce(traffic, 20000)
    workers = [fleet.start_worker(args.digits, "--lease", 3000) for _ in range(2)]
    fleet.wait(2000, "disk, while it has room")
    folder = os.path.join(fleet.data, "appendonlydir")
    size = max(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))
    limits = resource.prlimit(fleet.server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(fleet.server.pid, resource.RLIMIT_FSIZE, (size + 300000, limits[1]))
    for _ in range(1500):
        if any("MISCONF" in fleet.log(w) for w in workers):
            break
        progress(f"disk: {fleet.done():,} events")
        time.sleep(0.02)
    else:
        fail("the server never refused to write: its file is at its limit")
    time.sleep(1)
    full = fleet.done()
    resource.prlimit(fleet.server.pid, resource.RLIMIT_FSIZE, limits)
    fleet.wait(traffic["events"], "disk, with room again")
    fleet.producer.wait()
    fleet.stop_workers()
    expect(full < traffic["events"], f"a full disk: the server refused to write (MISCONF) at {full:,} events, then had "
           "room again; " + fleet.run("check", traffic), "it was never full")


def connection(fleet, args):
    """All connections are cut, again and again."""
    traffic = dict(model=args.digits, streams=1000, events=100000, bad=997, seed=17)
    cut = [0, time.monotonic()]

    def each():
        if time.monotonic() - cut[1] > 0.15 and cut[0] < 20:
            fleet.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            cut[:] = cut[0] + 1, time.monotonic()

    fleet.produce(traffic, 25000)
    for _ in range(3):
        fleet.start_worker(args.digits, "--lease", 3000)
    fleet.wait(traffic["events"], "connection", each=each)
    fleet.producer.wait()
    anew = sum(w["anew"] for w in fleet.stop_workers())
    expect(anew > 0, f"all connections cut {cut[0]} times, {anew:.0f} new beginnings; " + fleet.run("check", traffic),
           "none was cut")


def server_seconds(fleet):
    """Of the server's processor time."""
    return sum(float(line.split(":")[1]) for line in fleet.ask("INFO", "cpu").decode().splitlines()
               if line.startswith(("used_cpu_sys:", "used_cpu_user:")))


def pace(fleet, args, traffic, n_workers, *options):
    """Through workers that have a full log: events a second from the first read to the last commit, and what it took."""
    fleet.ask("FLUSHALL")
    fleet.run("produce", traffic)
    # Each its share from the beginning: nobody else may claim it, and a worker its own at once.
    later = 1000 * (int(fleet.ask("TIME")[0]) + 600)
    for p in range(PARTITIONS):
        fleet.ask("HSET", key(p, "meta"), "owner", f"w{fleet.n_workers + 1 + p % n_workers}", "until", later)
    begin = server_seconds(fleet)
    for _ in range(n_workers):
        fleet.start_worker(args.digits, "--states", traffic["streams"] + 64, *options)
    patience = Patience("speed")
    while fleet.done() < traffic["events"]:
        patience.see(fleet.done())
        fleet.expect_alive()
        time.sleep(0.03)
    server = server_seconds(fleet) - begin
    time.sleep(0.1)
    words = fleet.stop_workers()
    return dict(rate=traffic["events"] / (max(w["end"] for w in words) - min(w["begin"] for w in words)),
                server=1e6 * server / traffic["events"], worker=1e6 * sum(w["cpu"] for w in words) / traffic["events"],
                words=words[0])


def middle(values):
    return sorted(values)[len(values) // 2]


EVERY = 256         # a state is stored after so many events of its stream: what the bar is measured with


def tell_speed(direct, runs, workers):
    say(f"      one process without a store steps {middle(direct):,.0f} events/s (medians of {len(direct)} runs)")
    for n in workers:
        ratios = [s["rate"] / p["rate"] for s, p in zip(runs[n, "step"], runs[n, "pass"])]
        say(f"      {n} worker{'s' if n > 1 else ' '}: {middle([r['rate'] for r in runs[n, 'step']]):,.0f} events/s with "
            f"steps, {middle([r['rate'] for r in runs[n, 'pass']]):,.0f} passed through: {middle(ratios):.0%} "
            f"(pairs: {', '.join(f'{r:.0%}' for r in ratios)})")
    for kind, name in (("pass", "passed through"), ("step", f"with steps, N = {EVERY}"), ("often", "with steps, N = 64")):
        of = runs[workers[-1], kind]
        say(f"      processor time {name}, microseconds an event, the least of the runs: server "
            f"{min(r['server'] for r in of):.2f}, workers {min(r['worker'] for r in of):.2f}")
    words = runs[1, "step"][-1]["words"]
    say("      the clock of one worker, microseconds an event (claim and release included): "
        + ", ".join(f"{k} {1e6 * words[k] / words['took']:.2f}" for k in ("wait", "read", "load", "step", "store", "send")))


def speed(fleet, args):
    """What the store costs, and what the steps cost on top. All kinds alternate, since other work may share the machine."""
    traffic = dict(model=args.digits, streams=2000 if args.short else 10000, events=100000 if args.short else 200000, seed=19)
    workers, most = (1, 4) if args.short else (1, 2, 4), 4
    kinds = {"pass": ("--pass",), "step": ("--every", EVERY), "often": ("--every", 64)}
    direct, runs = [], {(n, kind): [] for n in workers for kind in kinds}
    for _ in range(1 if args.short else 3):
        words = fleet.run("direct", traffic).split()
        direct.append(int(words[1][5:]) / float(words[2][8:]))
        for n in workers:
            for kind in kinds if n == most else ("pass", "step"):
                progress(f"speed: {n} workers, {kind}")
                runs[n, kind].append(pace(fleet, args, traffic, n, *kinds[kind]))
    tell_speed(direct, runs, workers)
    # Figures, not verdicts: how fast depends on who else is on the machine. Enough workers make the server the limit, both ways:
    # its processor time an event says what share is left. Other work can only add to it: the least of the runs counts.
    share = min(r["server"] for r in runs[most, "pass"]) / min(r["server"] for r in runs[most, "step"])
    ratio = middle([s["rate"] / p["rate"] for s, p in zip(runs[most, "step"], runs[most, "pass"])])
    say(f"      a state stored every {EVERY} events of its stream: the server takes {share:.0%} as many events in its time with "
        f"steps as passed through; {most} workers step {ratio:.0%} of what they pass through")
    cores = len(os.sched_getaffinity(0))
    if cores < most + 1 or os.getloadavg()[0] > cores:
        say(f"      the second figure is of {cores} processors and a load of {os.getloadavg()[0]:.1f}; "
            f"{most} workers and the server need {most + 1}, and quiet")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=11, help="of the moments of the kills")
    parser.add_argument("--only", action="append")
    args = parser.parse_args()
    args.digits, args.digits_q8, args.bytes = (f"examples/models/{m}.b2s6" for m in ("digits", "digits-q8", "bytes"))
    parts = [killed, memory, stored, tokens, disk, connection, speed]
    begin = time.monotonic()
    for part in parts:
        if args.only and part.__name__ not in args.only:
            continue
        fleet = Fleet(args.build)
        try:
            say(f"{part.__name__}: {part.__doc__}")
            fleet.start_server()
            part(fleet, args)
        except KeyboardInterrupt:
            raise SystemExit(130)
        finally:
            fleet.stop()
            shutil.rmtree(fleet.data, ignore_errors=True)
    say(f"{time.monotonic() - begin:.0f} s\n{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
