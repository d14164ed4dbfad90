#!/usr/bin/env python3
"""What statements do to tables that are older than their script, beside what `migrator lint` says of them.

    tests/lint_truth.py MIGRATOR URL [--squawk SQUAWK] DIRECTORY…

Each DIRECTORY holds scripts named ID_name.up.sql for PostgreSQL. URL is that of a server whose role may create
databases. Every statement is executed on a database without rows but those of the scripts. A statement is a hazard if
it scans or rewrites a table that is older than its script, or builds an index on it, while the session holds SHARE
or a stronger lock on the table. Prints, for the levels measured and text, and for squawk, how many statements are
found rightly, wrongly and not at all, and with -v each of them. What follows a script that the server refuses is left
out by name.

Needs psycopg (PyPI). Exits with status 1 if precision or recall at the measured level is below 0.98, or at text level
below 0.85 and 0.90.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import psycopg

NAME = "migrator_lint_truth"

STRONG = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}

# Rules about work under a lock. The others of their class are about locks, or about rows alone.
OTHER = {"many-tables-locked", "unbatched-update-or-delete", "brief-lock", "detach-partition"}

# squawk's rules about work under a lock.
SQUAWK = {
    "require-concurrent-index-creation",
    "disallowed-unique-constraint",
    "adding-serial-primary-key-field",
    "adding-foreign-key-constraint",
    "constraint-missing-not-valid",
    "adding-not-nullable-field",
    "changing-column-type",
    "adding-field-with-default",
    "ban-alter-domain-with-add-constraint",
    "require-concurrent-reindex",
}

RELATIONS = """
SELECT c.oid, c.relkind, pg_relation_filenode(c.oid), i.indrelid, pg_stat_get_xact_numscans(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'm', 'i', 'p', 'I')
"""

LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"


def relations(connection):
    rows = connection.execute(RELATIONS).fetchall()
    return {oid: (kind, file, table, scans) for oid, kind, file, table, scans in rows}


def worked(before, after, old):
    """The old tables that were scanned or rewritten, or that got an index."""
    found = set()
    # A change of a type may give an index another OID and keep its file.
    files = {file for _, file, _, _ in before.values()}
    for oid, (kind, file, table, scans) in after.items():
        earlier = before.get(oid)
        owner = table if kind in (b"i", "i", b"I", "I") else oid
        if owner not in old or file is None:
            continue
        is_new_file = file not in files
        is_scanned = scans > (earlier[3] if earlier else 0)
        if is_new_file or owner == oid and is_scanned:
            found.add(owner)
    return found


def words(sql):
    return re.sub(r"(?s)^(\s|--[^\n]*\n|/\*.*?\*/)+", "", sql).upper()


def hazards(connection, text, statements, off):
    """The indexes of the statements that are hazards."""
    found = set()
    connection.autocommit = True
    old = set(relations(connection))
    inside = False
    if not off:
        connection.execute("BEGIN")
        inside = True
    before = relations(connection)
    for index, statement in enumerate(statements):
        sql = text[statement["start"] : statement["end"]].decode()
        begins = words(sql)
        if control := re.match(r"(BEGIN|START TRANSACTION|COMMIT|END)\b", begins):
            if off:
                connection.execute(sql)
                inside = control[1] in ("BEGIN", "START TRANSACTION")
                before = relations(connection)
            continue
        alone = not inside and not re.match(r"CREATE (UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX|VACUUM|CLUSTER|ALTER TYPE .*ADD VALUE|ALTER SYSTEM|CREATE DATABASE|DROP DATABASE|BEGIN|COMMIT|ROLLBACK|SET\b", begins)
        if alone:
            connection.execute("BEGIN")
            before = relations(connection)
        connection.execute(sql)
        after = relations(connection)
        locks = {oid for oid, mode in connection.execute(LOCKS).fetchall() if mode in STRONG}
        if not begins.startswith("TRUNCATE") and worked(before, after, old) & locks:
            found.add(index)
        before = after
        if alone:
            connection.execute("COMMIT")
    if inside:
        connection.execute("COMMIT")
    connection.execute("RESET ALL")
    connection.execute("RESET SESSION AUTHORIZATION")
    return found


def with_headers(directory, to):
    """Copies the scripts. One that cannot run in a transaction gets the header for it."""
    for name in os.listdir(directory):
        text = open(os.path.join(directory, name), "rb").read()
        is_alone = re.search(rb"(?i)\bINDEX CONCURRENTLY\b", text) or len(re.findall(rb"(?m)^COMMIT;", text)) > 1
        if is_alone and not re.search(rb"(?im)^--\s*migrator:.*transaction\s*=", text):
            text = b"-- migrator: transaction = off\n" + text
        open(os.path.join(to, name), "wb").write(text)


def lint(migrator, url, directory, flags):
    with tempfile.TemporaryDirectory() as project:
        with open(os.path.join(project, "migrator.toml"), "w") as file:
            file.write(f'[migrator]\nurl = "{url}"\nmigrations = "{os.path.abspath(directory)}"\nlayout = "native"\n')
        command = [os.path.abspath(migrator), "--format", "json", "lint", "--facts", *flags]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
        assert done.returncode in (0, 3), done.stdout + done.stderr
        return json.loads(done.stdout)


def flagged(revision):
    """The lines and columns of the statements with a finding about work under a lock."""
    found = set()
    for finding in revision["findings"]:
        causes = [it for it in finding["causes"] if it["class"] == "blocks" and it["rule"] not in OTHER]
        if causes:
            found.add((finding["line"], finding["column"]))
    return found


def of_squawk(squawk, path, statements):
    done = subprocess.run([squawk, "--reporter", "Json", path], capture_output=True, text=True)
    found = set()
    for finding in json.loads(done.stdout or "[]"):
        if finding["rule_name"] not in SQUAWK:
            continue
        place = (finding["line"] + 1, finding["column"] + 1)
        earlier = [index for index, it in enumerate(statements) if (it["line"], it["column"]) <= place]
        if earlier:
            found.add(earlier[-1])
    return found


class Score:
    def __init__(self):
        self.right = self.wrong = self.missed = self.findings = 0

    def add(self, found, truth):
        self.right += len(found & truth)
        self.wrong += len(found - truth)
        self.missed += len(truth - found)

    def precision(self):
        return self.right / max(1, self.right + self.wrong)

    def recall(self):
        return self.right / max(1, self.right + self.missed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("migrator")
    parser.add_argument("url")
    parser.add_argument("directories", nargs="+")
    parser.add_argument("--squawk")
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    server = args.url.rsplit("/", 1)[0]
    scores = {name: Score() for name in ("measured", "text", "squawk")}
    scripts = hazards_found = statements_seen = 0
    for original in args.directories:
        copied = tempfile.TemporaryDirectory()
        directory = copied.name
        with_headers(original, directory)
        with psycopg.connect(args.url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {NAME}")
            admin.execute(f"CREATE DATABASE {NAME} TEMPLATE template0")
        url = f"{server}/{NAME}"
        results = {"measured": lint(args.migrator, url, directory, []), "text": lint(args.migrator, url, directory, ["--text"])}
        by_revision = {name: {it["revision"]: it for it in result["revisions"]} for name, result in results.items()}
        with psycopg.connect(url, autocommit=True) as connection:
            for revision in results["measured"]["revisions"]:
                path = os.path.join(directory, os.path.basename(revision["file"]))
                text = open(path, "rb").read()
                statements = revision["statements"]
                off = re.search(rb"(?im)^--\s*migrator:.*transaction\s*=\s*off", text) is not None
                try:
                    truth = hazards(connection, text, statements, off)
                except psycopg.Error as error:
                    # An old server does not know all of the scripts.
                    reason = str(error).splitlines()[0]
                    print(f"{original}: left out from {os.path.basename(path)} on: {reason}")
                    break
                scripts += 1
                statements_seen += len(statements)
                hazards_found += len(truth)
                found = {}
                for name, revisions in by_revision.items():
                    of_level = revisions[revision["revision"]]
                    places = flagged(of_level)
                    found[name] = {index for index, it in enumerate(statements) if (it["line"], it["column"]) in places}
                    scores[name].findings += len(of_level["findings"])
                if args.squawk:
                    found["squawk"] = of_squawk(args.squawk, path, statements)
                for name, indexes in found.items():
                    scores[name].add(indexes, truth)
                    if not args.v:
                        continue
                    for index in sorted(indexes ^ truth):
                        it = statements[index]
                        sql = " ".join(text[it["start"] : it["end"]].decode().split())[:150]
                        kind = "missed" if index in truth else "wrong"
                        place = os.path.join(original, os.path.basename(path))
                        print(f"{name} {kind}: {place}:{it['line']}: {sql}")
    with psycopg.connect(args.url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME}")
    print(f"{scripts} scripts, {statements_seen} statements, {hazards_found} hazards")
    for name, score in scores.items():
        if name == "squawk" and not args.squawk:
            continue
        print(
            f"{name:9} right {score.right} wrong {score.wrong} missed {score.missed}"
            f"  precision {score.precision():.3f} recall {score.recall():.3f}  findings {score.findings}"
        )
    measured, text = scores["measured"], scores["text"]
    fine = min(measured.precision(), measured.recall()) >= 0.98 and text.precision() >= 0.85 and text.recall() >= 0.90
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
