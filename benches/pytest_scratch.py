#!/usr/bin/env python3
"""Tests with a PostgreSQL database each, by the plugin for pytest, beside bare CREATE DATABASE … TEMPLATE.

pytest_scratch.py [TESTS [ROUNDS]]

The Python that runs it has the wheel (packaging/build) and pytest; MIGRATOR_TEST_POSTGRES names a server, and psql is on the
PATH. Both are run in turn in each round, with the same server and the same schema; what counts is the ratio of the
smallest times.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

TESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
SERVER = os.environ["MIGRATOR_TEST_POSTGRES"]
OWN = f"pytest_scratch_{os.getpid()}"


def timed(*words: str, **more: object) -> float:
    start = time.perf_counter()
    run = subprocess.run(words, capture_output=True, text=True, **more)
    if run.returncode:
        sys.exit(f"{words[0]} failed:\n{run.stdout}{run.stderr}")
    return time.perf_counter() - start


def psql(text: str, url: str = SERVER) -> float:
    return timed("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", url, input=text)


def project(place: pathlib.Path) -> None:
    (place / "migrations").mkdir()
    (place / "migrator.toml").write_text(f'[migrator]\nurl = "{SERVER.rpartition("/")[0]}/{OWN}"\n')
    for number in range(1, 21):
        up = f"CREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL);\nCREATE INDEX ON t{number} (name);\n"
        (place / f"migrations/{number}_t{number}.up.sql").write_text(up)
        (place / f"migrations/{number}_t{number}.down.sql").write_text(f"DROP TABLE t{number};\n")
    (place / "test_plugin.py").write_text(
        "import pytest\n\n"
        f"@pytest.mark.parametrize('number', range({TESTS}))\n"
        "def test_has_a_database(migrator_url: str, number: int) -> None:\n"
        "    assert migrator_url\n"
    )
    (place / "test_nothing.py").write_text(
        f"import pytest\n\n@pytest.mark.parametrize('number', range({TESTS}))\n"
        "def test_nothing(number: int) -> None:\n    assert number >= 0\n"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        project(place)
        bin_directory = pathlib.Path(sys.executable).parent
        migrator = str(bin_directory / "migrator")
        # The template that both copy has one schema; the one of the plugin is kept by migrator itself.
        timed(migrator, "db", "create", cwd=place)
        timed(migrator, "upgrade", cwd=place)
        create = [f'CREATE DATABASE "{OWN}_{number}" TEMPLATE "{OWN}";\n' for number in range(TESTS)]
        drop = [f'DROP DATABASE "{OWN}_{number}";\n' for number in range(TESTS)]
        both = [line for pair in zip(create, drop) for line in pair]
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        times: "dict[str, list[float]]" = {name: [] for name in ("bare", "create alone", "plugin", "pytest alone")}
        timed(*pytest, "test_plugin.py", cwd=place)
        for _ in range(ROUNDS):
            times["bare"].append(psql("".join(both)))
            times["create alone"].append(psql("".join(create)))
            psql("".join(drop))
            times["plugin"].append(timed(*pytest, "test_plugin.py", cwd=place))
            times["pytest alone"].append(timed(*pytest, "test_nothing.py", cwd=place))
        timed(migrator, "scratch", "drop", cwd=place)
        psql(f'DROP DATABASE "{OWN}";')
        for name, found in times.items():
            print(f"{name:14}{min(found):8.3f} s  ({', '.join(f'{it:.3f}' for it in found)})")
        best = {name: min(found) for name, found in times.items()}
        own = best["plugin"] - best["pytest alone"]
        for name, what in (("bare", "CREATE and DROP DATABASE"), ("create alone", "CREATE DATABASE alone")):
            print(f"{TESTS} tests: {best['plugin'] / best[name]:.2f} x {what}, with pytest's own time;"
                  f" {own / best[name]:.2f} x without it")


if __name__ == "__main__":
    main()
