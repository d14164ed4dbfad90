"""What Alembic generates for the ten edits of the SQLAlchemy project.

    MIGRATOR_TEST_POSTGRES=URL MIGRATOR_TEST_BINARY=migrator python tests/orm/beside_alembic.py [sqlite] [postgres]

Each edit starts in a copy of the database that migrator has brought to the edit before, with the rows of
the application. Alembic generates a revision and runs it, unedited; the schema that it makes and the rows
are compared with those that migrator makes of the same model, and then, after its downgrade, with those
before. Needs alembic, sqlalchemy and psycopg.
"""

import json
import shutil
import sqlite3
import sys
from pathlib import Path

import psycopg

from run import BINARY, EDITS, Failure, Project, with_database

ENV = """
import os
from alembic import context
from sqlalchemy import MetaData, create_engine
from sqlalchemy.schema import BLANK_SCHEMA
from app.models import Base

POSTGRES = os.environ["BACKEND"] == "postgres"
metadata = Base.metadata
if not POSTGRES:
    # A SQLite file has no schemas.
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata, schema=None, referred_schema_fn=lambda *found: BLANK_SCHEMA)

def is_ours(name, kind, parents):
    if kind == "schema":
        return name in (None, "stock")
    return kind != "table" or not name.startswith("migrator_")

with create_engine(os.environ["ALEMBIC_URL"]).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, include_name=is_ours, include_schemas=POSTGRES,
        compare_type=True, compare_server_default=bool(os.environ.get("DEFAULTS")), render_as_batch=not POSTGRES)
    with context.begin_transaction():
        context.run_migrations()
"""


class Copy:
    """A copy of the project's database."""

    # Whether Alembic is told to compare defaults, which it does not by itself.
    compares_defaults = ""

    def __init__(self, project, name):
        self.project = project
        if project.backend == "postgres":
            self.name = f"{project.name}_{name}"
            self.drop()
            project.admin(f"CREATE DATABASE {self.name} TEMPLATE {project.name}")
            self.url = with_database(project.url, self.name)
            self.alembic_url = "postgresql+psycopg://" + self.url.partition("://")[2]
        else:
            path = project.root / f"{name}.db"
            shutil.copy(project.root / "shop.db", path)
            self.url, self.alembic_url = f"sqlite:{path}", f"sqlite:///{path}"

    def drop(self):
        if self.project.backend == "postgres":
            self.project.admin(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def connect(self):
        return connect(self.url)

    def alembic(self, *words):
        root = self.project.root
        variables = [f"ALEMBIC_URL={self.alembic_url}", f"DEFAULTS={self.compares_defaults}"]
        words = [sys.executable, "-m", "alembic", "-c", str(root / "alembic.ini"), *words]
        return self.project.run("env", *variables, *words)


def connect(url):
    if url.startswith("sqlite:"):
        return sqlite3.connect(url.removeprefix("sqlite:"))
    return psycopg.connect(url, autocommit=True)


def tables(connection, backend):
    """The tables with their columns."""
    if backend == "sqlite":
        query = "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_xinfo(m.name) p WHERE m.type = 'table'"
    else:
        query = """SELECT format('%I.%I', n.nspname, relname), attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
            JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
            AND n.nspname NOT IN ('pg_catalog', 'information_schema')"""
    found = {}
    for table, column in connection.execute(query).fetchall():
        if not table.removeprefix("public.").startswith(("migrator_", "alembic_", "sqlite_")):
            found.setdefault(table, []).append(column)
    return found


def values(connection, backend):
    """The values of each column, as text."""
    found = {}
    for table, columns in tables(connection, backend).items():
        as_text = "quote" if backend == "sqlite" else "text"
        for column in columns:
            rows = connection.execute(f'SELECT {as_text}("{column}") FROM {table}').fetchall()
            found[f"{table}.{column}"] = sorted(str(value) for (value,) in rows)
    return found


def empty(copy):
    with copy.connect() as connection:
        names = list(tables(connection, copy.project.backend))
        if copy.project.backend == "sqlite":
            for name in names:
                connection.execute(f"DELETE FROM {name}")
        else:
            connection.execute(f"TRUNCATE {', '.join(names)} CASCADE")


def differences(project, one, other):
    """The differences of two schemas as words."""
    words = [BINARY, "--format", "json", "schema", "diff", one, other]
    try:
        out = project.run(*words)
    except Failure as failure:
        out = str(failure)[str(failure).index("{") :]
    changes = json.JSONDecoder().raw_decode(out[out.index("{") :])[0]["changes"]
    return sorted({shown(change) for change in changes})


def shown(change):
    it = change["object"]
    name = ".".join(it[key] for key in ("schema", "parent", "name") if it.get(key))
    return f"{change['change']} {it['kind']} {name}" + (f" {change['attribute']}" if "attribute" in change else "")


def last_line(failure):
    lines = [line for line in str(failure).splitlines() if "Error" in line or "rror:" in line]
    return lines[-1][:300] if lines else str(failure)[-300:]


def compare(project, number, before, after):
    """Alembic's way from one copy to the other, up and down."""
    result = {"backend": project.backend, "edit": number, "with_rows": True}
    versions = project.root / "alembic" / "versions"
    for old in versions.glob("*.py"):
        old.unlink()
    attempt = copy_of(project, before)
    if number == 1 and project.backend == "postgres":
        with attempt.connect() as connection:
            connection.execute("CREATE SCHEMA stock")
    try:
        try:
            Copy.compares_defaults = "yes" if project.backend == "postgres" else ""
            attempt.alembic("revision", "--autogenerate", "-m", "edit")
        except Failure as failure:
            result["with_defaults"] = last_line(failure)
            Copy.compares_defaults = ""
            attempt.alembic("revision", "--autogenerate", "-m", "edit")
        attempt = run_up(project, attempt, before, versions, result)
        result["unlike"] = differences(project, attempt.url, after.url)
        if result["with_rows"]:
            result["values"] = unlike_values(project, attempt.url, after.url)
        try:
            attempt.alembic("check")
        except Failure as failure:
            result["again"] = last_line(failure)
        attempt.alembic("downgrade", "base")
        result["unlike_down"] = differences(project, attempt.url, before.url)
    except Failure as failure:
        result["failed"] = last_line(failure)
    finally:
        attempt.drop()
    return result


def run_up(project, attempt, before, versions, result):
    """Runs the revision: if it fails, with the imports that it lacks, and then without rows."""
    [script] = versions.glob("*.py")
    result["script"] = script.read_text()
    for _ in range(3):
        try:
            attempt.alembic("upgrade", "head")
            break
        except Failure as failure:
            last = failure
            result.setdefault("up", []).append(last_line(failure))
        attempt.drop()
        attempt = copy_of(project, before)
        if "NameError" in result["up"][-1]:
            script.write_text("from sqlalchemy import *\n" + result["script"])
        elif result["with_rows"]:
            result["with_rows"] = False
        else:
            raise last
        if not result["with_rows"]:
            empty(attempt)
    return attempt


def copy_of(project, copy):
    """A copy of a copy."""
    if project.backend == "sqlite":
        path = project.root / "alembic.db"
        shutil.copy(copy.url.removeprefix("sqlite:"), path)
        made = Copy.__new__(Copy)
        made.project, made.url, made.alembic_url = project, f"sqlite:{path}", f"sqlite:///{path}"
        return made
    name, project.name = project.name, copy.name
    try:
        return Copy(project, "a")
    finally:
        project.name = name


def unlike_values(project, one, other):
    """The columns whose values are others."""
    with connect(one) as first, connect(other) as second:
        found, expected = values(first, project.backend), values(second, project.backend)
    return sorted(name for name in expected if name in found and found[name] != expected[name])


def main():
    backends = sys.argv[1:] or ["sqlite", "postgres"]
    for backend in backends:
        project = Project("sqlalchemy", backend)
        (project.root / "alembic" / "versions").mkdir(parents=True)
        (project.root / "alembic" / "env.py").write_text(ENV)
        import alembic

        template = Path(alembic.__file__).parent / "templates" / "generic" / "script.py.mako"
        shutil.copy(template, project.root / "alembic" / "script.py.mako")
        (project.root / "alembic.ini").write_text(
            f"[alembic]\nscript_location = {project.root}/alembic\nprepend_sys_path = {project.root}\n"
        )
        if backend == "sqlite":
            sqlite3.connect(project.root / "shop.db").close()
        try:
            for number in EDITS:
                before = Copy(project, "before")
                project.set_edit(number)
                project.upgrade(number)
                after = Copy(project, "after")
                print(json.dumps(compare(project, number, before, after)), flush=True)
                before.drop()
                after.drop()
                project.use()
                if number == 3:
                    project.write_by_hand()
        finally:
            project.leave()


if __name__ == "__main__":
    main()
