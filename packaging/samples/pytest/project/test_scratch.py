"""The functions of the package, without fixtures."""

import os
import signal
import subprocess
import sys
import time

import pytest

import migrator


def places() -> "dict[str, str]":
    """The environment without the database of --migrator."""
    names = ("DATABASE_URL", "MIGRATOR_URL", "MIGRATOR_SCRATCH_DATABASE")
    return {name: value for name, value in os.environ.items() if name not in names}


def test_a_block_has_a_database() -> None:
    with migrator.scratch(at="1", env=places()) as url:
        words = [migrator.find_command(), "--url", url, "current"]
        assert subprocess.run(words, capture_output=True, text=True).stdout.startswith("1 ")
    gone = subprocess.run(words, capture_output=True, text=True)
    assert gone.returncode == 1, gone.stdout


def test_a_failure_has_the_words_of_the_command() -> None:
    with pytest.raises(migrator.ScratchError, match="nowhere"):
        with migrator.scratch(at="nowhere", env=places()):
            pass
    with pytest.raises(migrator.ScratchError, match="missing.toml"):
        with migrator.scratch(arguments=["-c", "missing.toml"], env=places()):
            pass


def test_a_second_close_does_nothing() -> None:
    database = migrator.Scratch(env=places())
    assert database.url == database.url
    database.close()
    database.close()
    assert database.is_dropped


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_process_leaves_no_database() -> None:
    code = "import migrator, time\nwith migrator.scratch() as url:\n    print(url, flush=True)\n    time.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=places()) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url
        process.send_signal(signal.SIGKILL)
    words = [migrator.find_command(), "--url", url, "current"]
    for _ in range(100):
        if subprocess.run(words, capture_output=True).returncode != 0:
            return
        time.sleep(0.1)
    pytest.fail("the database is still there")
