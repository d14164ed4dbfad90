# The beginning of the programs in Python, which run as `python -c PROGRAM DIALECT SOURCE`.
#
# What the project prints while it is imported goes to standard error. Only SQL is written to standard
# output, in the end and at once.
import importlib
import os
import sys

output = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
os.dup2(2, 1)
sys.stdout = sys.stderr


def fail(message):
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
    # Threads of the project do not delay the end.
    os._exit(1)


def write(statements):
    for statement in statements:
        # A statement may end in a comment, so `;` has a line of its own.
        output.write(statement.strip().rstrip(";") + "\n;\n")
    output.flush()
    sys.stderr.flush()
    os._exit(0)


# Modules are found from the directory of migrator.toml, and from `src` in it.
for path in (os.path.join(os.getcwd(), "src"), os.getcwd()):
    if os.path.isdir(path):
        sys.path[:] = [path] + [other for other in sys.path if other not in ("", path)]

dialect = {"postgres": "postgresql"}.get(sys.argv[1], sys.argv[1])
source = sys.argv[2]
# The project does not see them.
del sys.argv[1:]
