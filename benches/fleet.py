#!/usr/bin/env python3
"""Fleets beside what they cost at least, as ratios in one run.

    benches/fleet.py sqlite [FILES]        SQLite files with 100 revisions: nothing to do, and one revision pending
    benches/fleet.py schemas [SCHEMAS]     schemas of one PostgreSQL database with 100 revisions
    benches/fleet.py latency [DATABASES]   databases behind 20 ms of latency

MIGRATOR names the command to measure (target/release/migrator). PostgreSQL comes from tests/cluster, unless
MIGRATOR_TEST_POSTGRES names a server; psql has to be in the PATH. The floor of SQLite files is fleet_floor.c, compiled with
the SQLite that migrator is built with.
"""

import glob
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MIGRATOR = os.path.abspath(os.environ.get("MIGRATOR", os.path.join(ROOT, "target/release/migrator")))
REVISIONS = 100
RUNS = int(os.environ.get("RUNS", "3"))


def measured(words, **options):
    """Runs a program. Returns seconds of CPU, seconds, and the largest memory in MB."""
    begin = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{words}: {output.decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime, elapsed, usage.ru_maxrss / 1024


def best(run, before=lambda: None):
    """The best of some runs, by each measure."""
    found = []
    for _ in range(RUNS):
        before()
        found.append(run())
    return [min(values) for values in zip(*found)]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def scripts(project, count):
    """A table in five revisions: the others change one."""
    for number in range(1, count + 1):
        table = (number - 1) // 5
        up = f"ALTER TABLE t{table} ADD COLUMN c{number} text;\nUPDATE t{table} SET c{number} = 'x';\n"
        down = f"ALTER TABLE t{table} DROP COLUMN c{number};\n"
        if number % 5 == 1:
            up = f"CREATE TABLE t{table} (id integer PRIMARY KEY);\n"
            down = f"DROP TABLE t{table};\n"
        write(f"{project}/migrations/{20260101000000 + number}_r{number}.up.sql", up)
        write(f"{project}/migrations/{20260101000000 + number}_r{number}.down.sql", down)


# The cheapest script, and one like most: a table of several columns that refers to another, and an index.
SMALLEST = "CREATE TABLE pending_one (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
USUAL = (
    "CREATE TABLE pending_one (id integer PRIMARY KEY, owner integer NOT NULL REFERENCES t0 (id), name text NOT NULL, "
    "total numeric(10, 2) NOT NULL DEFAULT 0, created timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);\n"
    "CREATE INDEX pending_one_owner ON pending_one (owner);\n"
)


def pending(project, up=SMALLEST):
    write(f"{project}/migrations/20270101000000_pending.up.sql", up)
    write(f"{project}/migrations/20270101000000_pending.down.sql", "DROP TABLE pending_one;\n")


def no_pending(project):
    for file in glob.glob(f"{project}/migrations/20270101000000_*"):
        os.remove(file)


def report(name, what, measures, floor):
    shown = ", ".join(f"{label} {a:.2f} {unit} ({a / b:.2f} x)" for label, unit, a, b in zip(*what, measures, floor))
    floors = ", ".join(f"{label} {b:.2f} {unit}" for label, unit, b in zip(*what, floor))
    print(f"{name}: {shown}; floor: {floors}")


def compiled(directory):
    registry = os.path.join(os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")), "registry/src/*")
    lock = open(os.path.join(ROOT, "Cargo.lock")).read()
    version = lock.split('name = "libsqlite3-sys"\nversion = "')[1].split('"')[0]
    source = glob.glob(f"{registry}/libsqlite3-sys-{version}/sqlite3")[0]
    program = f"{directory}/floor"
    flags = ["-O2", "-DSQLITE_THREADSAFE=1", "-DSQLITE_ENABLE_API_ARMOR", "-DSQLITE_DEFAULT_FOREIGN_KEYS=1"]
    files = [f"{ROOT}/benches/fleet_floor.c", f"{source}/sqlite3.c"]
    subprocess.run(["cc", *flags, f"-I{source}", *files, "-o", program, "-lpthread", "-ldl", "-lm"], check=True)
    return program


def sqlite(directory, count):
    project = f"{directory}/project"
    write(f"{project}/migrator.toml", '[environments.all.fleet]\nfiles = "t/*.db"\n[environments.some.fleet]\nfiles = "s/*.db"\n')
    scripts(project, REVISIONS)
    subprocess.run([MIGRATOR, "--url", "sqlite:template.db", "upgrade", "-q"], cwd=project, check=True, capture_output=True)
    floor = compiled(directory)
    os.makedirs(f"{project}/t")
    for number in range(count):
        shutil.copyfile(f"{project}/template.db", f"{project}/t/{number:05}.db")
    write(f"{directory}/all", "".join(f"{project}/t/{number:05}.db\n" for number in range(count)))
    upgrade = [MIGRATOR, "-n", "all", "-q", "fleet", "upgrade"]
    what = (("CPU", "memory"), ("s", "MB"))
    cpu = lambda it: (it[0], it[2])
    least = cpu(best(lambda: measured([floor, "read", f"{directory}/all"])))
    found = cpu(best(lambda: measured(upgrade, cwd=project)))
    report(f"{count} files, nothing to do", what, found, least)

    some = min(count, 1000)

    def fresh():
        shutil.rmtree(f"{project}/s", ignore_errors=True)
        os.makedirs(f"{project}/s")
        for number in range(some):
            shutil.copyfile(f"{project}/template.db", f"{project}/s/{number:05}.db")
        os.sync()

    write(f"{directory}/some", "".join(f"{project}/s/{number:05}.db\n" for number in range(some)))
    least = best(lambda: measured([floor, "write", f"{directory}/some"]), fresh)[:2]
    pending(project)
    upgrade = [MIGRATOR, "-n", "some", "-q", "fleet", "upgrade"]
    found = best(lambda: measured(upgrade, cwd=project), fresh)[:2]
    report(f"{some} files, one revision pending", (("CPU", "time"), ("s", "s")), found, least)


class Server:
    def __enter__(self):
        self.dir = None
        self.url = os.environ.get("MIGRATOR_TEST_POSTGRES")
        if not self.url:
            started = subprocess.run([f"{ROOT}/tests/cluster", "start", str(os.getpid())], capture_output=True, text=True, check=True)
            self.dir, self.url = started.stdout.split()
        return self

    def __exit__(self, *_):
        if self.dir:
            subprocess.run([f"{ROOT}/tests/cluster", "stop", self.dir])

    def database(self, name):
        base, _, parameters = self.url.partition("?")
        scheme, rest = base.split("://")
        address = rest.split("/")[0]
        return f"{scheme}://{address}/{name}" + (f"?{parameters}" if parameters else "")

    def psql(self, url, sql):
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", url], input=sql, text=True, check=True, capture_output=True)


def schemas(directory, count):
    project = f"{directory}/project"
    with Server() as server:
        name = f"migrator_bench_fleet_{os.getpid()}"
        server.psql(server.url, f"CREATE DATABASE {name}")
        url = server.database(name)
        try:
            names = [f"s{number:04}" for number in range(count)]
            server.psql(url, "".join(f"CREATE SCHEMA {it};\n" for it in names) + "CREATE TABLE public.tenants (name text);\n")
            server.psql(url, "".join(f"INSERT INTO public.tenants VALUES ('{it}');\n" for it in names))
            write(
                f"{project}/migrator.toml",
                f'[environments.all]\nurl = "{url}"\n[environments.all.fleet]\nquery = "SELECT name FROM public.tenants ORDER BY name"\n'
                'schema = "${target}"\n',
            )
            scripts(project, REVISIONS)
            upgrade = [MIGRATOR, "-n", "all", "-q", "fleet", "upgrade"]
            begin = time.monotonic()
            subprocess.run(upgrade, cwd=project, check=True, capture_output=True)
            print(f"{count} schemas with {REVISIONS} revisions each: {time.monotonic() - begin:.1f} s")
            server.psql(url, "VACUUM ANALYZE")
            chunks = [names[at:at + 200] for at in range(0, count, 200)]
            select = "SELECT '{0}', sequence, revision, up_checksum, state FROM {0}.migrator_version"
            union = "".join(" UNION ALL ".join(select.format(it) for it in chunk) + ";\n" for chunk in chunks)
            write(f"{directory}/union.sql", "SELECT name FROM public.tenants ORDER BY name;\n" + union)
            floor = ["psql", "-qXAt", "-o", "/dev/null", "-f", f"{directory}/union.sql", url]
            least = best(lambda: measured(floor))[1:2]
            found = best(lambda: measured(upgrade, cwd=project))[1:2]
            report(f"{count} schemas, nothing to do", (("time",), ("s",)), found, least)

            for script, up in [("the cheapest", SMALLEST), ("a usual", USUAL)]:
                least, found = one_pending(directory, server, url, names, up)
                report(f"{count} schemas, {script} revision pending", (("time",), ("s",)), [found], [least])
        finally:
            server.psql(server.url, f"DROP DATABASE {name}")


def one_pending(directory, server, url, names, up):
    """The best times of bare transactions over four connections, and of migrator."""
    project = f"{directory}/project"
    upgrade = [MIGRATOR, "-n", "all", "-q", "fleet", "upgrade"]
    jobs = 4
    sql = (
        f"BEGIN;\nSET LOCAL search_path TO {{0}};\n{up}"
        "INSERT INTO {0}.migrator_version (sequence, revision, kind, message, parents, depends_on, up_checksum, state, "
        "started_at, applied_at, duration_ms, applied_by, tool_version) VALUES (101, '20270101000000', 'revision', 'x', '', '', "
        "'x', 'applied', now(), now(), 1, 'x', 'x');\n"
        "INSERT INTO {0}.migrator_version_log (event, revision, message, outcome, duration_ms, actor, tool_version) VALUES "
        "('upgrade', '20270101000000', 'x', 'ok', 1, 'x', 'x');\nCOMMIT;\n"
    )
    undo = "DROP TABLE {0}.pending_one;\nDELETE FROM {0}.migrator_version WHERE revision = '20270101000000';\n"
    for job in range(jobs):
        write(f"{directory}/bare{job}.sql", "".join(sql.format(it) for it in names[job::jobs]))

    def bare():
        begin = time.monotonic()
        processes = [subprocess.Popen(["psql", "-qX", "-f", f"{directory}/bare{job}.sql", url]) for job in range(jobs)]
        if any([process.wait() for process in processes]):
            sys.exit("the bare transactions failed")
        return time.monotonic() - begin

    reset = lambda: server.psql(url, "".join(undo.format(it) for it in names) + "CHECKPOINT;")
    least, found = [], []
    for _ in range(RUNS):
        least.append(bare())
        reset()
        pending(project, up)
        found.append(measured(upgrade, cwd=project)[1])
        no_pending(project)
        reset()
    return min(least), min(found)


def delayed(server, delay):
    """A proxy that delivers what it gets after a delay. Returns its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def pump(source, target):
        pieces, wake = [], threading.Condition()

        def deliver():
            while True:
                with wake:
                    while not pieces:
                        wake.wait()
                    due, data = pieces.pop(0)
                time.sleep(max(0, due - time.monotonic()))
                try:
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)
                except OSError:
                    return

        threading.Thread(target=deliver, daemon=True).start()
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            with wake:
                pieces.append((time.monotonic() + delay, data))
                wake.notify()
            if not data:
                return

    def accept():
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            other = socket.create_connection(server)
            other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=pump, args=(client, other), daemon=True).start()
            threading.Thread(target=pump, args=(other, client), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def latency(directory, count):
    project = f"{directory}/project"
    with Server() as server:
        address = server.url.split("://")[1].split("/")[0]
        user, _, address = address.rpartition("@")
        host, _, port = address.partition(":")
        port = delayed((host, int(port)), 0.01)
        names = [f"migrator_bench_fleet_{os.getpid()}_{number}" for number in range(count)]
        try:
            for name in names:
                server.psql(server.url, f"CREATE DATABASE {name} TEMPLATE template0")
            listed = ", ".join(f'"{name}"' for name in names)
            url = f"postgres://{user}@127.0.0.1:{port}/${{target}}?sslmode=disable"
            keys = f'list = [{listed}]\nurl = "{url}"\n'
            write(
                f"{project}/migrator.toml",
                f"[environments.one.fleet]\n{keys}jobs = 1\n[environments.all.fleet]\n{keys}jobs = 16\njobs-per-server = 16\n",
            )
            scripts(project, 5)
            for step in ["upgrade", "nothing to do"]:
                times = []
                for environment in ["one", "all"]:
                    if step == "upgrade":
                        for name in names:
                            server.psql(server.database(name), "DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
                    times.append(measured([MIGRATOR, "-n", environment, "-q", "fleet", "upgrade"], cwd=project)[1])
                print(f"{count} databases, 20 ms away, {step}: {times[1]:.1f} s, one after the other {times[0]:.1f} s ({times[0] / times[1]:.1f} x)")
        finally:
            for name in names:
                server.psql(server.url, f"DROP DATABASE IF EXISTS {name}")


def main():
    works = {"sqlite": (sqlite, 10_000), "schemas": (schemas, 500), "latency": (latency, 200)}
    if len(sys.argv) < 2 or sys.argv[1] not in works:
        sys.exit(__doc__)
    work, count = works[sys.argv[1]]
    directory = tempfile.mkdtemp(prefix="migrator-bench-fleet.", dir=os.environ.get("TMPDIR"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        work(directory, int(sys.argv[2]) if len(sys.argv) > 2 else count)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
