#!/usr/bin/env python3
"""What `rehearse` predicts beside what happens: the same revisions on a copy, and then on the database itself.

    benches/rehearse.py MIGRATOR URL [ROWS]

URL is that of a PostgreSQL server whose role may create databases; with 4,000,000 rows the database has about 1 GB.
The locks of the real run are looked up while it runs. Needs psycopg (PyPI).
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

NAME = "migrator_bench_rehearse"

TABLES = """
CREATE TABLE customers (id integer PRIMARY KEY, email text);
CREATE TABLE orders (id integer PRIMARY KEY, customer integer REFERENCES customers, total integer, note text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer, amount integer, note text);
INSERT INTO customers SELECT n, 'C' || n FROM generate_series(1, {rows} / 20) n;
INSERT INTO orders SELECT n, n % ({rows} / 20) + 1, n % 5000, repeat(md5(n::text), 4) FROM generate_series(1, {rows} / 2) n;
INSERT INTO lines SELECT n, n % ({rows} / 2) + 1, n % 9, repeat(md5(n::text), 3) FROM generate_series(1, {rows}) n;
CREATE INDEX ON orders (customer);
CREATE INDEX ON lines (order_id);
VACUUM ANALYZE;
"""

SCRIPTS = [
    "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
    "CREATE INDEX lines_amount ON lines (amount);",
    "ALTER TABLE lines ADD CONSTRAINT amount_fine CHECK (amount >= 0);",
    "ALTER TABLE lines ADD FOREIGN KEY (order_id) REFERENCES orders (id);",
    "UPDATE orders SET note = left(note, 40) WHERE id % 5 = 0;",
    "CREATE UNIQUE INDEX orders_total ON orders (total);",
]

LOCKS = """SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a USING (pid)
WHERE l.granted AND c.relkind = 'r' AND c.oid >= 16384 AND c.relname NOT LIKE 'migrator%' AND a.application_name LIKE 'migrator%'"""


def watch(url, stop, seen):
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.is_set():
            for table, mode in connection.execute(LOCKS).fetchall():
                seen.setdefault(table, set()).add(mode)
            time.sleep(0.002)


def real(migrator, project, url):
    """Upgrades. Returns the times of statements in milliseconds by revision, and the locks."""
    stop, seen = threading.Event(), {}
    watcher = threading.Thread(target=watch, args=(url, stop, seen))
    watcher.start()
    subprocess.run([migrator, "upgrade", "--log-file", "log"], cwd=project, capture_output=True)
    stop.set()
    watcher.join()
    lines = [json.loads(line) for line in open(os.path.join(project, "log"))]
    ends = [line for line in lines if line.get("event") == "statement"]
    return {end["revision"]: (end["duration_ms"], end["outcome"]) for end in ends}, seen


def main():
    migrator, server = os.path.abspath(sys.argv[1]), sys.argv[2]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 400_000
    url = f"{server.rsplit('/', 1)[0]}/{NAME}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in TABLES.format(rows=rows).strip().split(";\n"):
            connection.execute(statement)
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()[0]
    with tempfile.TemporaryDirectory() as project:
        os.mkdir(os.path.join(project, "migrations"))
        with open(os.path.join(project, "migrator.toml"), "w") as file:
            file.write(f'[migrator]\nurl = "{url}"\ndowns = "optional"\nallow-nonempty = true\n')
        for number, text in enumerate(SCRIPTS, 1):
            with open(os.path.join(project, "migrations", f"{number}_step.up.sql"), "w") as file:
                file.write(text + "\n")
        command = [migrator, "--format", "json", "rehearse", "--no-downs"]
        rehearsed = json.loads(subprocess.run(command, cwd=project, capture_output=True, text=True).stdout)
        times, seen = real(migrator, project, url)
    print(f"{size / 1e6:.0f} MB; the copy took {rehearsed['copy_ms'] / 1000:.1f} s of {rehearsed['duration_ms'] / 1000:.1f} s")
    for revision in rehearsed["revisions"]:
        predicted = sum(statement["duration_ms"] for statement in revision["statements"])
        took, outcome = times[revision["revision"]]
        same = "same" if revision["failed"] == (outcome == "failed") else "ANOTHER OUTCOME"
        print(f"{predicted:9.1f} ms {took:9.1f} ms  x{predicted / took:.2f}  {same}  {revision['statements'][0]['sql']}")
    for lock in sorted({(it["relation"], it["mode"]) for it in rehearsed["lock_times"]}):
        found = lock[1].replace(" ", "").lower() + "lock" in {mode.lower() for mode in seen.get(lock[0].split(".")[1], ())}
        print(f"{'seen' if found else 'NOT SEEN'}: {lock[1]} on {lock[0]}")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


if __name__ == "__main__":
    main()
