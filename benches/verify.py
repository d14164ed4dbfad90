#!/usr/bin/env python3
"""`migrator verify` beside `upgrade head` on an empty database, as ratios in one run.

    benches/verify.py DIRECTORY...

Each DIRECTORY holds scripts that migrator reads. One whose name, or that of its parent, contains `sqlite` is for SQLite, the
others are for PostgreSQL. A file prelude.sql beside it runs first on an empty database.

MIGRATOR names the command to measure (target/release/migrator). PostgreSQL comes from tests/cluster, unless
MIGRATOR_TEST_POSTGRES names a server; psql has to be in the PATH. Each time is the best of RUNS (3). Where other programs
share the processors, the ratio of CPU times, with those of the server that tests/cluster has started, tells more.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MIGRATOR = os.path.abspath(os.environ.get("MIGRATOR", os.path.join(ROOT, "target/release/migrator")))
RUNS = int(os.environ.get("RUNS", "3"))
TICKS = os.sysconf("SC_CLK_TCK")
NAME = "migrator_bench_verify"


def server_seconds(directory):
    """The CPU time of a server and of its processes, past ones included."""
    if directory is None or not os.path.isdir("/proc"):
        return 0
    with open(os.path.join(directory, "data", "postmaster.pid")) as file:
        postmaster = int(file.readline())
    total = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(process) == postmaster:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Directory:
    def __init__(self, scripts, server, work):
        self.scripts = os.path.abspath(scripts)
        self.directory, self.server = server
        parent, name = os.path.split(self.scripts)
        self.name = name if name != "native" else os.path.basename(parent)
        self.prelude = os.path.join(parent, "prelude.sql")
        self.file = os.path.join(work, "app.db")
        self.url = f"sqlite:{self.file}" if self.is_sqlite else self.server.rsplit("/", 1)[0] + "/" + NAME
        with open(os.path.join(work, "migrator.toml"), "w") as file:
            file.write(f'[migrator]\nurl = "{self.url}"\ndowns = "optional"\n')
            if not self.is_sqlite:
                file.write(f'scratch-url = "{self.server}"\n')
        self.work = work

    @property
    def is_sqlite(self):
        return "sqlite" in self.name

    def empty(self):
        if self.is_sqlite:
            for file in (self.file, self.file + "-wal", self.file + "-shm"):
                if os.path.exists(file):
                    os.remove(file)
            return
        for sql in (f"DROP DATABASE IF EXISTS {NAME}", f"CREATE DATABASE {NAME}"):
            subprocess.run(["psql", "-qX", self.server, "-c", sql], check=True, capture_output=True)
        if os.path.exists(self.prelude):
            subprocess.run(["psql", "-qX", self.url, "-f", self.prelude], check=True, capture_output=True)

    def run(self, *words):
        """Seconds, and seconds of CPU, of a command; with its exit status."""
        own, server, begin = resource.getrusage(resource.RUSAGE_CHILDREN), server_seconds(self.directory), time.monotonic()
        environment = dict(os.environ, MIGRATOR_MIGRATIONS=self.scripts)
        done = subprocess.run([MIGRATOR, *words], cwd=self.work, env=environment, capture_output=True, text=True)
        elapsed, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime - own.ru_utime + after.ru_stime - own.ru_stime
        if done.returncode not in (0, 3):
            sys.exit(f"{self.name}: {words}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return elapsed, busy + server_seconds(self.directory) - server

    def best(self, before, *words):
        found = []
        for _ in range(RUNS):
            before()
            found.append(self.run(*words))
        return [min(values) for values in zip(*found)]

    def measure(self):
        upgrade = self.best(self.empty, "upgrade", "head")
        line = f"{self.name:20} upgrade head {upgrade[0] * 1000:6.0f} ms"
        for name, words in ("no rows", ["--no-rows"]), ("rows", []):
            verify = self.best(lambda: None, "verify", *words)
            line += f", {name} {verify[0] / upgrade[0]:5.1f} (CPU {verify[1] / upgrade[1]:5.1f})"
        print(line, flush=True)


def main():
    if not sys.argv[1:]:
        sys.exit(__doc__)
    directory, url = None, os.environ.get("MIGRATOR_TEST_POSTGRES")
    cluster = os.path.join(ROOT, "tests/cluster")
    if not url and any("sqlite" not in name for name in sys.argv[1:]):
        directory, url = subprocess.run([cluster, "start", str(os.getpid())], check=True, capture_output=True, text=True).stdout.split()
    for scripts in sys.argv[1:]:
        work = tempfile.mkdtemp()
        try:
            Directory(scripts, (directory, url), work).measure()
        finally:
            shutil.rmtree(work)


main()
