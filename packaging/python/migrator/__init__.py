"""The `migrator` command for Python programs: where it is, and scratch databases for tests.

The fixtures for pytest are in `migrator.pytest_plugin`, which pytest loads by itself.
"""

from ._command import CommandNotFound, find_command
from ._scratch import Scratch, ScratchError, scratch

__all__ = ["CommandNotFound", "Scratch", "ScratchError", "find_command", "scratch"]
