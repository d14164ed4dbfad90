#!/usr/bin/env python3
"""Writes the revisions of an Alembic project out as up and down scripts for migrator.

    python alembic_to_scripts.py --to migrations [-c alembic.ini] [-x KEY=VALUE]

Run it in the project, with the Python that runs its Alembic. The SQL is what `alembic upgrade --sql` prints, revision
by revision and without the statements on alembic_version; no database is asked. Parents, dependencies, labels and
merges are kept. Ids are new ones, made of the dates of creation, and the old id stands in the script, where `migrator
adopt` finds it. When a revision can't be written as SQL, nothing is written.
"""

import argparse
import contextlib
import datetime
import io
import logging
import os
import re
import sys
import tempfile

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import HeadMaintainer, MigrationContext, MigrationStep
from alembic.script import ScriptDirectory

# What stands around a migration, and around what it runs outside of a transaction. No SQL holds a NUL.
BEGIN, END, OUTSIDE = "\0begin\n", "\0end\n", "\0outside\n"


def main():
    options = arguments()
    output = io.StringIO()
    config = Config(options.config, output_buffer=output, cmd_opts=options)
    script = ScriptDirectory.from_config(config)
    logging.disable(logging.INFO)
    # The records are made by migrator.
    HeadMaintainer.update_to_step = lambda self, step: None

    @contextlib.contextmanager
    def outside(_):
        output.write(OUTSIDE)
        yield
        output.write(OUTSIDE)

    MigrationContext.autocommit_block = outside
    revisions = list(script.walk_revisions())[::-1]
    ids = new_ids(revisions)
    files, wrong = {}, []
    for revision in revisions:
        try:
            files.update(scripts(config, script, output, revision, ids))
        except Exception as error:  # What a migration raises is anything.
            wrong.append(f"{revision.path}: it can't be written as SQL: {type(error).__name__}: {error}")
    if wrong:
        sys.exit("\n".join(wrong) + "\nnothing was written")
    write(options.to, files)
    print(f"Wrote {len(revisions)} revisions as {len(files)} scripts into {options.to}.")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", required=True, help="the directory to write, which must be empty or not there")
    parser.add_argument("-c", "--config", default=os.environ.get("ALEMBIC_CONFIG", "alembic.ini"))
    parser.add_argument("-x", action="append", help="what env.py is told, as with alembic -x")
    return parser.parse_args()


def new_ids(revisions):
    """Ids of migrator by those of Alembic: the date of creation, and never before a parent's."""
    ids, taken = {}, set()
    for revision in revisions:
        found = re.search(r"^Create Date: *(\d+)-(\d+)-(\d+)[ T](\d+):(\d+):(\d+)", revision.longdoc or "", re.M)
        time = datetime.datetime(*map(int, found.groups())) if found else datetime.datetime(2000, 1, 1)
        second = datetime.timedelta(seconds=1)
        for before in above(revision):
            time = max(time, datetime.datetime.strptime(ids[before], "%Y%m%d%H%M%S") + second)
        while time in taken:
            time += second
        taken.add(time)
        ids[revision.revision] = time.strftime("%Y%m%d%H%M%S")
    return ids


def parents(revision):
    down = revision.down_revision or ()
    return (down,) if isinstance(down, str) else tuple(down)


def dependencies(revision):
    found = revision._resolved_dependencies or ()
    return tuple(one for one in found if one not in parents(revision))


def above(revision):
    return parents(revision) + dependencies(revision)


def scripts(config, script, output, revision, ids):
    """The files of a revision."""
    new = ids[revision.revision]
    slug = re.sub(r"[^a-z0-9]+", "_", (revision.doc or "").lower()).strip("_")[:60].strip("_") or revision.revision
    up = sql(config, script, output, MigrationStep.upgrade_from_script(script.revision_map, revision))
    headers = [
        f"-- {revision.doc.strip() or slug}",
        f"-- alembic: {revision.revision}",
        "-- migrator: revises = " + (", ".join(ids[one] for one in parents(revision)) or "base"),
    ]
    if dependencies(revision):
        headers.append("-- migrator: depends-on = " + ", ".join(ids[one] for one in dependencies(revision)))
    labels = sorted(label for label in revision._orig_branch_labels or () if label)
    if len(labels) > 1:
        raise ValueError(f"it has several labels ({', '.join(labels)}), and migrator takes one")
    headers += [f"-- migrator: label = {label}" for label in labels]
    try:
        down = sql(config, script, output, MigrationStep.downgrade_from_script(script.revision_map, revision))
    except NotImplementedError:
        headers.append("-- migrator: irreversible = its downgrade raises NotImplementedError")
        down = None
    files = {f"{new}_{slug}.up.sql": text(headers, up)}
    if down is not None:
        files[f"{new}_{slug}.down.sql"] = text([], down)
    return files


def sql(config, script, output, step):
    """What a step prints offline, without Alembic's own statements."""
    output.seek(0)
    output.truncate()

    def steps(_, context):
        run = step.migration_fn

        def between_marks(**arguments):
            output.write(BEGIN)
            run(**arguments)
            output.write(END)

        step.migration_fn = between_marks
        return [step]

    with EnvironmentContext(config, script, fn=steps, as_sql=True, starting_rev=None, destination_rev="head"):
        script.run_env()
    printed = output.getvalue()
    if BEGIN not in printed:
        raise RuntimeError("env.py runs nothing offline")
    return printed.split(BEGIN, 1)[1].split(END, 1)[0]


def text(headers, body):
    """A script; what Alembic runs in an autocommit_block() stands outside of the transactions around it."""
    body = re.sub(r"^-- Running (upgrade|downgrade) .*\n+", "", body, flags=re.M)
    parts = [part.strip() for part in body.split(OUTSIDE)]
    if len(parts) > 1:
        headers = headers + ["-- migrator: transaction = off"]
        for at in range(0, len(parts), 2):
            parts[at] = parts[at] and f"BEGIN;\n\n{parts[at]}\n\nCOMMIT;"
    return "\n\n".join(filter(None, ["\n".join(headers), *parts])) + "\n"


def write(directory, files):
    """All of them or none."""
    if os.path.exists(directory) and os.listdir(directory):
        sys.exit(f"{directory} is there already, and not empty; nothing was written")
    parent = os.path.dirname(os.path.abspath(directory))
    with tempfile.TemporaryDirectory(dir=parent) as temporary:
        made = os.path.join(temporary, "scripts")
        os.mkdir(made)
        for name, content in files.items():
            with open(os.path.join(made, name), "x", encoding="utf-8", newline="\n") as file:
                file.write(content)
        if os.path.exists(directory):
            os.rmdir(directory)
        os.rename(made, directory)


if __name__ == "__main__":
    main()
