"""Where this package's command is."""

from __future__ import annotations

import os
import pathlib
import sys
import sysconfig


class CommandNotFound(FileNotFoundError):
    """The command that belongs to this package is missing."""


def find_command() -> str:
    """Returns the path of the command that was installed with this package.

    The command of PATH may be of another version, so it is not looked at.
    """
    name = "migrator.exe" if os.name == "nt" else "migrator"
    directories = _directories()
    for directory in directories:
        path = directory / name
        if path.is_file():
            return str(path)
    looked = ", ".join(str(directory) for directory in directories)
    raise CommandNotFound(f"no {name} in {looked}; install the package again")


def _directories() -> list[pathlib.Path]:
    """Where installers put programs, nearest first."""
    package = pathlib.Path(__file__).resolve().parent
    below = "Scripts" if os.name == "nt" else "bin"
    directories = [pathlib.Path(sysconfig.get_path("scripts"))]
    # `pip install --user`
    user = "osx_framework_user" if _is_framework_build() else f"{os.name}_user"
    if user in sysconfig.get_scheme_names():
        directories.append(pathlib.Path(sysconfig.get_path("scripts", scheme=user)))
    # `pip install --target`, and `--prefix`: lib/python3.x/site-packages/migrator
    directories.append(package.parent / "bin")
    if len(package.parents) > 3:
        directories.append(package.parents[3] / below)
    return list(dict.fromkeys(directories))


def _is_framework_build() -> bool:
    return sys.platform == "darwin" and bool(sysconfig.get_config_var("PYTHONFRAMEWORK"))
