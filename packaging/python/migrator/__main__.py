"""`python -m migrator`: the command of this environment, whatever PATH says."""

import os
import subprocess
import sys

from ._command import CommandNotFound, find_command


def main() -> int:
    try:
        command = find_command()
    except CommandNotFound as error:
        print(f"python -m migrator: {error}", file=sys.stderr)
        return 127
    words = [command, *sys.argv[1:]]
    if os.name == "nt":
        return subprocess.run(words).returncode
    os.execv(command, words)


if __name__ == "__main__":
    sys.exit(main())
