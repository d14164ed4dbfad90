"""The fixtures and options of the plugin."""

import os
import sqlite3
import subprocess

import pytest

from migrator import find_command

SEEN: "list[str]" = []


def migrator(*words: str) -> str:
    run = subprocess.run([find_command(), *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def options(pytestconfig: pytest.Config) -> "tuple[bool, str]":
    return pytestconfig.option.migrator, pytestconfig.option.migrator_at


@pytest.mark.parametrize("number", range(5))
def test_each_test_has_a_database_at_head(migrator_url: str, number: int) -> None:
    assert migrator_url not in SEEN
    SEEN.append(migrator_url)
    migrator("--url", migrator_url, "current", "--check-heads")
    if migrator_url.startswith("sqlite:"):
        database = sqlite3.connect(migrator_url[len("sqlite:///") :])
        database.execute("INSERT INTO users (name) VALUES ('x')")
        database.commit()
        database.close()
    else:
        migrator("--url", migrator_url, "downgrade", "-1")


def test_all_share_one_at_head(migrator_session_url: str, options: "tuple[bool, str]") -> None:
    assert migrator_session_url not in SEEN
    migrator("--url", migrator_session_url, "current", "--check-heads")
    if options[0]:
        assert migrator_session_url == os.environ["DATABASE_URL"]


def test_the_variables_lead_to_the_shared_one(options: "tuple[bool, str]") -> None:
    is_on, at = options
    names = ("DATABASE_URL", "MIGRATOR_URL", "MIGRATOR_SCRATCH_DATABASE")
    if not is_on:
        assert not any(name in os.environ for name in names)
        return
    urls = {os.environ[name] for name in names}
    assert len(urls) == 1
    # Without --url: the command itself is led there.
    current = migrator("current")
    assert current.startswith("1 " if at == "1" else "2 "), current


def test_rows_are_made_where_they_are_asked_for(migrator_url: str, pytestconfig: pytest.Config) -> None:
    if not migrator_url.startswith("sqlite:"):
        return
    database = sqlite3.connect(migrator_url[len("sqlite:///") :])
    (rows,) = database.execute("SELECT count(*) FROM users").fetchone()
    database.close()
    assert (rows > 0) == (pytestconfig.option.migrator_seed is not None)
