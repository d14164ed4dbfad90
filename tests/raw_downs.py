#!/usr/bin/env python3
"""What down scripts do with the databases' own clients, beside what `migrator verify` says of them.

    tests/raw_downs.py MIGRATOR DIRECTORY [URL [PRELUDE]]

DIRECTORY holds scripts named ID_name.up.sql and ID_name.down.sql. URL is that of a PostgreSQL server
whose role may create databases; without it the scripts are for SQLite. PRELUDE is a file of SQL that runs
before the first script.

Each revision is applied, reverted and applied again by psql or the sqlite3 shell ($SQLITE3), on a database without
rows; pg_dump -s or sqlite_schema tells whether the down script restored the schema. Prints one line a
revision on which the two disagree, and the totals. Exits with status 1 if there is such a line.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

NAME = "migrator_raw_downs"

# Scripts may need a newer SQLite than that of the system.
SHELL = os.environ.get("SQLITE3", "sqlite3")


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


class Postgres:
    def __init__(self, url):
        self.server = url
        self.url = url.rsplit("/", 1)[0] + "/" + NAME

    def fresh(self):
        for sql in (f"DROP DATABASE IF EXISTS {NAME}", f"CREATE DATABASE {NAME} TEMPLATE template0"):
            status, _, error = run(["psql", "-X", "-q", self.server, "-c", sql])
            assert status == 0, error

    def script(self, text):
        alone = re.search(r"(?im)^--\s*migrator:.*transaction\s*=\s*off", text)
        options = [] if alone else ["-1"]
        status, _, error = run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, self.url], text)
        return None if status == 0 else error.strip()

    def schema(self):
        status, text, error = run(["pg_dump", "-s", self.url])
        assert status == 0, error
        lines = text.splitlines()
        return "\n".join(l for l in lines if l and not l.startswith(("--", "\\restrict", "\\unrestrict")))

    def drop(self):
        run(["psql", "-X", "-q", self.server, "-c", f"DROP DATABASE IF EXISTS {NAME}"])


class Sqlite:
    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.directory.name, "raw.db")
        self.url = f"sqlite:{self.file}"

    def fresh(self):
        if os.path.exists(self.file):
            os.remove(self.file)

    def script(self, text):
        status, _, error = run([SHELL, "-bail", "-batch", self.file], text)
        return None if status == 0 and not error else error.strip() or "failed"

    def schema(self):
        query = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL " \
            "AND name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        status, text, error = run([SHELL, "-batch", "-json", self.file, query])
        assert status == 0, error
        rows = json.loads(text) if text.strip() else []
        return "\n".join(f"{row['type']} {row['name'].lower()}\n{plain(row['sql'])}" for row in rows)

    def drop(self):
        self.directory.cleanup()


def plain(sql):
    """The statement without comments, quotes around names and white space, in lower case."""
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.S)
    sql = re.sub(r'["`\[\]]', "", sql).lower()
    return re.sub(r"\s*([(),=<>])\s*", r"\1", re.sub(r"\s+", " ", sql)).strip()


def in_any_order(schema):
    """What is left of a schema if the order of columns does not matter."""
    return sorted(part.rstrip(" ,;") for part in re.split(r"[\n,()]", schema) if part.strip(" ,;"))


def raw(database, revisions, prelude):
    """What the clients found: revision -> `ok`, `no down`, `fails`, `differs` or `up fails again`."""
    found = {}

    def start(until=None):
        """Makes a database with the revisions up to `until`, or with none."""
        database.fresh()
        if prelude:
            error = database.script(prelude)
            assert error is None, error
        for name, (up, _) in revisions.items() if until else ():
            database.script(up)
            if name == until:
                return

    start()
    for name, (up, down) in revisions.items():
        before = database.schema() if down is not None else None
        error = database.script(up)
        if error:
            found[name] = f"up fails: {error}"
            break
        if down is None:
            found[name] = "no down"
            continue
        first = database.schema()
        error = database.script(down)
        if error:
            found[name] = "fails"
            start(name)
            continue
        after = database.schema()
        same = before == after or in_any_order(before) == in_any_order(after)
        found[name] = "ok" if same else "differs"
        error = database.script(up)
        if error:
            found[name] += ", up fails again"
        # What a down script has spoilt must not be blamed on the next one.
        if error or database.schema() != first:
            start(name)
    database.drop()
    return found


def verified(migrator, directory, url, prelude):
    """What `migrator verify` found, in the same words."""
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "migrator.toml"), "w") as file:
            file.write("[migrator]\ndowns = \"optional\"\n")
        environment = dict(os.environ, MIGRATOR_MIGRATIONS=directory)
        if prelude:
            # A revision before all others takes the place of the prelude.
            directory = os.path.join(work, "scripts")
            os.mkdir(directory)
            for file in os.listdir(environment["MIGRATOR_MIGRATIONS"]):
                os.symlink(os.path.join(environment["MIGRATOR_MIGRATIONS"], file), os.path.join(directory, file))
            environment["MIGRATOR_MIGRATIONS"] = directory
            with open(os.path.join(directory, "0_prelude.up.sql"), "w") as file:
                file.write(prelude)
        command = [migrator, "--url", url, "--format", "json", "verify", "--no-rows"]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
        report = json.loads(done.stdout)
        assert "revisions" in report, done.stdout + done.stderr
    found = {}
    for revision in report["revisions"]:
        codes = {finding["code"] for finding in revision["findings"]}
        if revision["verdict"] == "not_verified":
            found[revision["revision"]] = f"up fails: {revision['reason']}"
        elif revision["verdict"] == "no_down":
            found[revision["revision"]] = "no down"
        elif "M881" in codes:
            found[revision["revision"]] = "fails"
        else:
            said = "differs" if "M882" in codes else "ok"
            found[revision["revision"]] = said + (", up fails again" if "M883" in codes else "")
    return found


def read(directory):
    scripts = {}
    for file in os.listdir(directory):
        match = re.fullmatch(r"(\d+)_.*\.(up|down)\.sql|(\d+)\.(up|down)\.sql", file)
        if match:
            revision, kind = match[1] or match[3], match[2] or match[4]
            with open(os.path.join(directory, file), encoding="utf-8") as text:
                scripts.setdefault(revision, {})[kind] = text.read()
    return {name: (scripts[name]["up"], scripts[name].get("down")) for name in sorted(scripts, key=int)}


def main():
    migrator, directory, *rest = sys.argv[1:]
    directory = os.path.abspath(directory)
    prelude = None
    if len(rest) > 1:
        with open(rest[1], encoding="utf-8") as file:
            prelude = file.read()
    database = Postgres(rest[0]) if rest else Sqlite()
    revisions = read(directory)
    expected = raw(database, revisions, prelude)
    url = rest[0] if rest else "sqlite::memory:"
    found = verified(os.path.abspath(migrator), directory, url, prelude)
    unlike = 0
    for name, truth in expected.items():
        said = found.get(name, "nothing")
        if said != truth and not (said.startswith("up fails") and truth.startswith("up fails")):
            unlike += 1
            print(f"{name}: the clients say `{truth}`, verify says `{said}`")
    total = len(expected)
    of = lambda what: sum(what in truth for truth in expected.values())
    print(
        f"{total} revisions, {total - of('no down')} downs, {of('fails') - of('up fails')} fail, "
        f"{of('differs')} do not restore, {of('up fails again')} ups fail again, {unlike} disagreements"
    )
    sys.exit(unlike > 0)


main()
