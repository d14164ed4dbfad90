#!/usr/bin/env python3
"""How long readers and writers wait while integer becomes bigint: `ALTER COLUMN … TYPE` beside docs/zero-downtime.md.

    benches/zero_downtime.py MIGRATOR URL [ROWS]

URL is that of a PostgreSQL server whose role may create databases. Two programs read and write one row at a time; the
longest time that a statement of theirs takes is what they waited. Needs psycopg (PyPI).
"""

import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

NAME = "migrator_bench_zero_downtime"
PAGE = os.path.join(os.path.dirname(__file__), "..", "docs", "zero-downtime.md")


def safe_scripts():
    section = open(PAGE).read().split("\n## Changing a type\n")[1]
    return re.findall(r"```sql\n(.*?)```", section, re.S)


def program(url, sql, rows, stop, waits):
    # A prepared statement is refused once after any change of a type: "cached plan must not change result type".
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        while not stop.is_set():
            row = random.randint(1, rows)
            begin = time.perf_counter()
            connection.execute(sql, (row,))
            waits.append(time.perf_counter() - begin)
            time.sleep(0.001)


def run(migrator, server, rows, scripts):
    """Applies the scripts with programs beside. Returns their longest wait and the whole time, in seconds."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
    url = f"{server.rsplit('/', 1)[0]}/{NAME}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, total integer)")
        connection.execute("INSERT INTO orders (note, total) SELECT repeat('x', 50), n FROM generate_series(1, %s) n" % rows)
        connection.execute("VACUUM ANALYZE orders")
    with tempfile.TemporaryDirectory() as project:
        os.mkdir(os.path.join(project, "migrations"))
        with open(os.path.join(project, "migrator.toml"), "w") as file:
            file.write(f'[migrator]\nurl = "{url}"\ndowns = "optional"\nallow-nonempty = true\n')
        for number, text in enumerate(scripts, 1):
            with open(os.path.join(project, "migrations", f"{number}_step.up.sql"), "w") as file:
                file.write(text)
        stop, waits = threading.Event(), []
        statements = [
            "SELECT total FROM orders WHERE id = %s",
            "UPDATE orders SET total = total + 1 WHERE id = %s",
        ]
        threads = [threading.Thread(target=program, args=(url, sql, rows, stop, waits)) for sql in statements]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        begin = time.perf_counter()
        done = subprocess.run([migrator, "upgrade"], cwd=project, capture_output=True, text=True)
        took = time.perf_counter() - begin
        time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join()
        assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    return max(waits), took


def main():
    migrator, server = os.path.abspath(sys.argv[1]), sys.argv[2]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    direct = run(migrator, server, rows, ["ALTER TABLE orders ALTER COLUMN total TYPE bigint;\n"])
    safe = run(migrator, server, rows, safe_scripts())
    print(f"direct: longest wait {direct[0] * 1000:.0f} ms, {direct[1]:.1f} s in all")
    print(f"expand and contract: longest wait {safe[0] * 1000:.0f} ms, {safe[1]:.1f} s in all")
    print(f"the wait is 1/{direct[0] / safe[0]:.0f}")


if __name__ == "__main__":
    main()
