#!/usr/bin/env python3
"""Rows of child tables that up scripts lose when SQLite enforces foreign keys, beside what `migrator verify` says.

    tests/lost_children.py MIGRATOR DIRECTORY...

Each DIRECTORY holds scripts for SQLite named ID_name.up.sql. A copy of it has the header `foreign-keys = on` in every up
script. `verify` says which tables lose rows there (M885) that do not lose them in DIRECTORY itself. The same is found out by
the sqlite3 shell ($SQLITE3): each up script that drops a table or deletes rows runs twice, each time in one transaction, on the
database of the revision before it with rows, which `migrator scratch --seed` makes; once with foreign keys on, once off.

Prints a line for each directory, with the tables, and one for each table on which the two disagree. Exits with status 1 if there
is such a line.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Scripts may need a newer SQLite than that of the system.
SHELL = os.environ.get("SQLITE3", "sqlite3")

# What a script says about foreign keys, and transactions of its own.
KEYS = re.compile(
    r"(?im)^\s*PRAGMA\s+(main\.)?(foreign_keys|defer_foreign_keys|foreign_key_check)\b[^;]*;"
    r"|^--\s*migrator:.*foreign-keys.*$|^\s*(BEGIN|COMMIT)(\s+\w+)?(\s+TRANSACTION)?\s*;"
)


def read(directory):
    scripts = {}
    for file in os.listdir(directory):
        match = re.fullmatch(r"(\d+)(_.*)?\.up\.sql", file)
        if match:
            with open(os.path.join(directory, file), encoding="utf-8") as text:
                scripts[match[1]] = (file, text.read())
    return {name: scripts[name] for name in sorted(scripts, key=int)}


def migrator(program, directory, *arguments):
    environment = dict(os.environ, MIGRATOR_MIGRATIONS=directory)
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "migrator.toml"), "w") as file:
            file.write('[migrator]\ndowns = "optional"\n')
        command = [program, "--url", "sqlite::memory:", *arguments]
        return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)


def with_keys(directory, copy):
    """Copies the scripts; the up scripts enforce foreign keys."""
    shutil.copytree(directory, copy)
    for file, text in read(directory).values():
        with open(os.path.join(copy, file), "w", encoding="utf-8") as out:
            out.write("-- migrator: foreign-keys = on\n" + KEYS.sub("", text))


def verified(program, directory):
    """The tables that lose rows, and the revisions that fail: (revision, table or None)."""
    done = migrator(program, directory, "--format", "json", "verify")
    report = json.loads(done.stdout)
    assert "revisions" in report, done.stdout + done.stderr
    found = set()
    for revision in report["revisions"]:
        for finding in revision["findings"]:
            if finding["code"] == "M885":
                table = re.search(r"loses? \d+ rows? of (\S+)", finding["message"])
                assert table, finding["message"]
                found.add((revision["revision"], table[1]))
        notes = json.dumps(revision["notes"]) + json.dumps(revision["findings"])
        if revision["verdict"] == "not_verified" or "M880" in notes or "M888" in notes or "with rows" in notes:
            found.add((revision["revision"], None))
    return found


def shell(file, text):
    done = subprocess.run([SHELL, "-bail", "-batch", file], input=text, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 and not done.stderr else None


def rows(file):
    names = shell(file, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%';").split("\n")
    return {name: int(shell(file, f'SELECT count(*) FROM "{name}";')) for name in names if name}


def lost(file, text, keys):
    """The tables that are there before and after a script, and have fewer rows after it; `None` if it fails."""
    before = rows(file)
    if shell(file, f"PRAGMA foreign_keys = {keys};\nBEGIN;\n{KEYS.sub('', text)}\n;COMMIT;\n") is None:
        return None
    after = rows(file)
    return {name for name, count in before.items() if after.get(name, count) < count}


def raw(program, directory, work):
    found, failed = set(), set()
    previous = "base"
    for name, (_, text) in read(directory).items():
        if re.search(r"(?i)\bDROP\s+TABLE\b|\bDELETE\b|\bREPLACE\b", text):
            start = os.path.join(work, "start.db")
            save = f'{SHELL} "${{MIGRATOR_URL#sqlite:}}" ".backup {start}"'
            done = migrator(program, directory, "scratch", "--at", previous, "--seed", "--", "sh", "-c", save)
            assert done.returncode == 0, done.stderr
            tables = {}
            for keys in "ON", "OFF":
                file = os.path.join(work, f"{keys}.db")
                shutil.copyfile(start, file)
                tables[keys] = lost(file, text, keys)
            if tables["ON"] is None:
                failed.add(name)
            elif tables["OFF"] is not None:
                found |= {(name, table) for table in tables["ON"] - tables["OFF"]}
        previous = name
    return found, failed


def main():
    program, *directories = sys.argv[1:]
    program = os.path.abspath(program)
    disagreements = 0
    for directory in map(os.path.abspath, directories):
        with tempfile.TemporaryDirectory() as work:
            copy = os.path.join(work, "with_keys")
            with_keys(directory, copy)
            said = verified(program, copy) - verified(program, directory)
            truth, failed = raw(program, directory, work)
        # A script that fails with rows is tried without them, and loses none.
        fails = {name for name, table in said if table is None} | failed
        said = {it for it in said if it[1] and it[0] not in fails}
        truth = {it for it in truth if it[0] not in fails}
        names = ", ".join(f"{name}: {table}" for name, table in sorted(truth)) or "none"
        print(f"{directory}: {len(truth)} tables lose child rows ({names}); fail: {', '.join(sorted(fails)) or 'none'}")
        for name, table in sorted(said ^ truth):
            disagreements += 1
            who = "verify" if (name, table) in said else "the shell"
            print(f"{directory}: {name}: only {who} says that {table} loses child rows")
    print(f"{disagreements} disagreements")
    sys.exit(disagreements > 0)


main()
