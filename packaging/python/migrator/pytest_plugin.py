"""Scratch databases for pytest.

--migrator              runs all tests with one scratch database, whose URL is in DATABASE_URL
migrator_url            a fixture: the URL of a scratch database of this test alone
migrator_session_url    a fixture: the URL of one scratch database for all tests of the process
"""

from __future__ import annotations

import collections
import os
import warnings
from typing import Deque, Iterator, List, Optional

import pytest

from ._scratch import Scratch, ScratchError

#: What `migrator scratch -- COMMAND` sets for its command.
_VARIABLES = ("DATABASE_URL", "MIGRATOR_URL", "MIGRATOR_SCRATCH_DATABASE")
#: How many databases are created before the tests that need them, and dropped after them, at once.
_AHEAD = 4
_DROPPING = 8


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("migrator", "scratch databases")
    group.addoption(
        "--migrator",
        action="store_true",
        help="run the tests with a scratch database: its URL is in DATABASE_URL and MIGRATOR_URL",
    )
    group.addoption(
        "--migrator-at",
        metavar="REV",
        default="head",
        help="revision of scratch databases (default: head)",
    )
    group.addoption(
        "--migrator-seed",
        metavar="NUMBER",
        type=int,
        default=None,
        help="make rows in every table of scratch databases, from this number",
    )
    parser.addini(
        "migrator_arguments",
        type="args",
        default=[],
        help="global options of migrator, such as: -c db/migrator.toml",
    )


class _Databases:
    """The scratch databases of this process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        # Before --migrator changes it: scratch databases are made beside the configured one.
        self._environment = dict(os.environ)
        self._all: Optional[Scratch] = None
        self._ready: Deque[Scratch] = collections.deque()
        self._dropping: Deque[Scratch] = collections.deque()
        #: How many tests will still ask for a database of their own.
        self.expected = 0

    def _start(self) -> Scratch:
        option = self._config.option
        return Scratch(
            at=option.migrator_at,
            seed=False if option.migrator_seed is None else option.migrator_seed,
            arguments=self._config.getini("migrator_arguments"),
            cwd=self._config.rootpath,
            env=self._environment,
        )

    def of_all(self) -> str:
        """The URL of the database that all tests share."""
        if self._all is None:
            self._all = self._start()
        return self._all.url

    def take(self) -> Scratch:
        """A database for one test. Those of the next tests are started."""
        # The first one may still have to run the scripts; the next ones would only wait for it.
        database = self._ready.popleft() if self._ready else self._start()
        self.expected -= 1
        _ = database.url
        while len(self._ready) < min(_AHEAD, self.expected):
            self._ready.append(self._start())
        return database

    def give_back(self, database: Scratch) -> None:
        database.release()
        self._dropping.append(database)
        while len(self._dropping) > _DROPPING or (self._dropping and self._dropping[0].is_dropped):
            _close(self._dropping.popleft())

    def close(self) -> None:
        rest: List[Scratch] = [*self._dropping, *self._ready]
        if self._all is not None:
            rest.append(self._all)
        for database in rest:
            database.release()
        for database in rest:
            _close(database)


def _close(database: Scratch) -> None:
    """A database that is not dropped is no failure of a test."""
    try:
        database.close()
    except ScratchError as error:
        warnings.warn(f"a scratch database was not dropped: {error}", stacklevel=2)


_databases = pytest.StashKey[_Databases]()
_before = pytest.StashKey["dict[str, Optional[str]]"]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    databases = _Databases(config)
    config.stash[_databases] = databases
    # With pytest-xdist, the tests run in workers, each of which is configured for itself.
    is_controller = bool(getattr(config.option, "tx", None)) and not hasattr(config, "workerinput")
    if config.option.migrator and not is_controller and not config.option.help:
        try:
            url = databases.of_all()
        except (ScratchError, OSError) as error:
            raise pytest.UsageError(f"--migrator: {error}") from error
        config.stash[_before] = {name: os.environ.get(name) for name in _VARIABLES}
        os.environ.update({name: url for name in _VARIABLES})


def pytest_unconfigure(config: pytest.Config) -> None:
    for name, value in config.stash.get(_before, {}).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    databases = config.stash.get(_databases, None)
    if databases is not None:
        databases.close()


def pytest_collection_finish(session: pytest.Session) -> None:
    names = (getattr(item, "fixturenames", ()) for item in session.items)
    session.config.stash[_databases].expected = sum("migrator_url" in used for used in names)


@pytest.fixture(scope="session")
def migrator_session_url(pytestconfig: pytest.Config) -> str:
    """The URL of a scratch database that all tests of this process share; that of --migrator, if it is given."""
    return pytestconfig.stash[_databases].of_all()


@pytest.fixture
def migrator_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of a scratch database that belongs to this test and is dropped after it."""
    databases = pytestconfig.stash[_databases]
    database = databases.take()
    yield database.url
    databases.give_back(database)
