"""Scratch databases: `migrator scratch`, held as long as a program wants them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from typing import IO, Iterator, Mapping, Optional, Sequence, Union

from ._command import find_command

__all__ = ["Scratch", "ScratchError", "scratch"]

#: A command that prints the URL and ends with its input.
_HOLD_SH = ["sh", "-c", 'echo "$DATABASE_URL"; exec cat']
_HOLD_PYTHON = [
    sys.executable,
    "-c",
    "import os, sys; print(os.environ['DATABASE_URL'], flush=True); sys.stdin.read()",
]


class ScratchError(RuntimeError):
    """`migrator scratch` failed; its message is what it wrote to stderr."""


class Scratch:
    """A scratch database, which exists until `close` is called or this process ends, however it does.

    It is created in the background: the constructor returns at once, `url` waits.
    """

    def __init__(
        self,
        *,
        at: str = "head",
        seed: Union[bool, int] = False,
        arguments: Sequence[str] = (),
        cwd: Optional[Union[str, "os.PathLike[str]"]] = None,
        env: Optional[Mapping[str, str]] = None,
    ) -> None:
        words = [find_command(), *arguments, "scratch", "--at", at]
        if seed is not False:
            words.append("--seed" if seed is True else f"--seed={seed}")
        words += ["--", *(_HOLD_PYTHON if os.name == "nt" else _HOLD_SH)]
        self._url: Optional[str] = None
        self._closed = False
        # Not a pipe, which nobody would read while the database is used.
        self._stderr: IO[bytes] = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                cwd=cwd,
                env=env,
                # Ctrl-C is for the tests: they still need the database to clean up.
                start_new_session=True,
            )
        except BaseException:
            self._stderr.close()
            raise

    @property
    def url(self) -> str:
        """The URL of the database, with the password if there is one."""
        if self._url is None:
            if self._closed:
                raise ScratchError("the scratch database is closed")
            assert self._process.stdout is not None
            line = self._process.stdout.readline().decode()
            if not line.endswith("\n"):
                self.close()
                # `close` raises where the command failed.
                raise ScratchError("migrator scratch ended without a URL")
            self._url = line.rstrip("\r\n")
        return self._url

    def release(self) -> None:
        """Has the database dropped, without waiting for it. `close` waits."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    @property
    def is_dropped(self) -> bool:
        """Whether the command has ended."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Drops the database. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.release()
        status = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace").strip()
        self._stderr.close()
        if status != 0:
            raise ScratchError(said or f"migrator scratch ended with status {status}")

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def scratch(
    *,
    at: str = "head",
    seed: Union[bool, int] = False,
    arguments: Sequence[str] = (),
    cwd: Optional[Union[str, "os.PathLike[str]"]] = None,
    env: Optional[Mapping[str, str]] = None,
) -> Iterator[str]:
    """Gives the URL of a scratch database, which is dropped at the end of the block.

    at         the revision up to which the scripts are run
    seed       rows in every table: True, or the number that they are made from
    arguments  global options of the command, such as ["-n", "test"]
    cwd        the directory from which migrator.toml is looked for
    env        the environment of the command, instead of this process's
    """
    with Scratch(at=at, seed=seed, arguments=arguments, cwd=cwd, env=env) as database:
        yield database.url
