"""Ten successive edits of a model, on both databases, through the built binary.

    tests/models [sqlalchemy] [django] [drizzle] [prisma] [sqlite] [postgres]

After each edit: a revision is generated and proven, `upgrade` runs it, `check` is clean or a second
autogenerate writes nothing, in turn, and the ORM reads and writes through what came out. With
MIGRATOR_TEST_PAIRS, both are tried after each edit.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

HERE = Path(__file__).parent
SERVER = os.environ["MIGRATOR_TEST_POSTGRES"]
BINARY = os.environ["MIGRATOR_TEST_BINARY"]
EDITS = range(1, 11)
IS_LONG = "MIGRATOR_TEST_PAIRS" in os.environ

# The source, the program that reads and writes, and the flags that an edit needs, on one of the databases too.
KINDS = {
    "sqlalchemy": {
        "source": 'sqlalchemy = "app.models:Base"',
        "use": [sys.executable, "use.py"],
        "flags": {
            6: ["--allow-loss"],
            7: ["--rename", "customers.name=full_name", "--rename", "reviews=ratings"],
            # From text to citext.
            8: ["--allow-loss"],
            9: ["--allow-loss"],
            10: ["--fill", "orders.note='none'"],
        },
        "postgres": {10: ["--rename", "public.tags=stock.tags"]},
    },
    "django": {
        "source": 'django = "shop.settings"',
        "use": [sys.executable, "use.py"],
        "flags": {
            5: ["--allow-loss"],
            7: ["--rename", "orders_customer.name=full_name"],
            9: ["--allow-loss"],
            10: ["--fill", "orders_order.note='none'"],
        },
    },
    "drizzle": {
        "source": 'drizzle = "src/schema.{backend}.ts"',
        "use": ["node", "--import", "tsx", "use.ts"],
        "flags": {
            7: ["--rename", "customers.name=full_name"],
            9: ["--allow-loss"],
            10: ["--fill", "orders.note='none'"],
        },
    },
    # Its client needs an engine that is not on npm.
    "prisma": {
        "source": 'prisma = "schema.prisma"',
        "use": [],
        "flags": {
            7: ["--rename", "customers.name=full_name"],
            9: ["--allow-loss"],
            10: ["--fill", "orders.note='none'"],
        },
    },
}

# What an ORM cannot declare, written by hand after the third edit.
BY_HAND = {
    "postgres": """CREATE EXTENSION citext;
CREATE VIEW customer_ids AS SELECT id FROM {customers};
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON {customers} FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE {customers} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {customers} SET (fillfactor = 80);
GRANT SELECT ON {customers} TO PUBLIC;
""",
    "sqlite": """CREATE VIEW customer_ids AS SELECT id FROM {customers};
CREATE TRIGGER touched AFTER UPDATE ON {customers} BEGIN SELECT 1; END;
""",
}


class Failure(Exception):
    pass


class Project:
    def __init__(self, kind, backend):
        self.kind, self.backend = kind, backend
        self.root = Path(tempfile.mkdtemp(prefix=f"models-{kind}-{backend}-"))
        shutil.copytree(HERE / kind, self.root, dirs_exist_ok=True)
        modules = os.environ.get("MIGRATOR_TEST_NODE_MODULES")
        if modules:
            (self.root / "node_modules").symlink_to(modules)
        if backend == "sqlite":
            self.url = f"sqlite:{self.root / 'shop.db'}"
        else:
            self.name = f"models_{kind}_{os.getpid()}"
            self.admin(f"CREATE DATABASE {self.name} TEMPLATE template0")
            self.url = with_database(SERVER, self.name)
        (self.root / "migrations").mkdir()
        source = KINDS[kind]["source"].format(backend=backend)
        (self.root / "migrator.toml").write_text(f'[migrator]\nurl = "{self.url}"\n[model]\n{source}\n')

    def admin(self, statement):
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(statement)

    def leave(self):
        if self.backend == "postgres":
            self.admin(f"DROP DATABASE {self.name} WITH (FORCE)")
        shutil.rmtree(self.root)

    def run(self, *words, expected=0):
        # The interpreter of the project is the active environment.
        variables = {
            **os.environ,
            "VIRTUAL_ENV": str(Path(sys.executable).parent.parent),
            "DATABASE_URL": self.url,
            "BACKEND": self.backend,
        }
        done = subprocess.run(words, cwd=self.root, env=variables, capture_output=True, text=True)
        if done.returncode != expected:
            raise Failure(f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def migrator(self, *words, expected=0):
        return self.run(BINARY, *words, expected=expected)

    def set_edit(self, number):
        (self.root / "edit.json").write_text(json.dumps(number))
        template = self.root / "template.prisma"
        if template.exists():
            provider = "postgresql" if self.backend == "postgres" else "sqlite"
            text = lines_of(template.read_text(), number).replace("PROVIDER", provider)
            (self.root / "schema.prisma").write_text(text)

    def generate(self, number, flags=()):
        words = ["--format", "json", "revision", "--autogenerate", "-m", f"edit {number}", *flags]
        return json.loads(self.migrator(*words))["revisions"]

    def edit(self, number):
        self.set_edit(number)
        # Once is enough: each command starts the interpreter again.
        if number == 2:
            self.migrator("check", expected=3)
        self.upgrade(number)
        # Each starts the interpreter, and both compare the same schemas.
        if IS_LONG or number % 2 == 0:
            self.migrator("check")
        if (IS_LONG or number % 2 == 1) and self.generate(number):
            raise Failure("a second autogenerate wrote a revision")
        self.use()

    def upgrade(self, number):
        kind = KINDS[self.kind]
        flags = kind["flags"].get(number, []) + kind.get(self.backend, {}).get(number, [])
        if not self.generate(number, flags):
            raise Failure("no revision was generated")
        self.migrator("upgrade")

    def use(self):
        if use := KINDS[self.kind]["use"]:
            self.run(*use)

    def write_by_hand(self):
        self.migrator("revision", "-m", "by hand", "--no-down", "for the test")
        [script] = [path for path in (self.root / "migrations").iterdir() if "by_hand.up" in path.name]
        table = "orders_customer" if self.kind == "django" else "customers"
        script.write_text(script.read_text() + BY_HAND[self.backend].format(customers=table))
        self.migrator("upgrade")
        self.migrator("check")

    def ensure_kept(self):
        schema = self.migrator("schema", "dump")
        words = ["customer_ids", "touched"]
        if self.backend == "postgres":
            words += ["citext", "touch()", "ENABLE ROW LEVEL SECURITY", "fillfactor", "PUBLIC"]
        missing = [word for word in words if word not in schema]
        if missing:
            raise Failure(f"{missing} got lost:\n{schema}")


def lines_of(template, number):
    """The lines that a version has: `// edit >= 3` begins with the third edit, `// edit < 3` ends before."""
    kept = []
    for line in template.splitlines():
        line, _, condition = line.partition("// edit ")
        sign, _, edit = condition.partition(" ")
        if not condition or (number >= int(edit)) == (sign == ">="):
            kept.append(line)
    return "\n".join(kept)


def with_database(url, name):
    """The URL with another database."""
    base, question, parameters = url.partition("?")
    scheme, _, rest = base.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host}/{name}{question}{parameters}"


def successive_edits(kind, backend):
    project = Project(kind, backend)
    try:
        for number in EDITS:
            try:
                project.edit(number)
                if number == 3:
                    project.write_by_hand()
                if number > 3:
                    project.ensure_kept()
            except Failure as failure:
                print(f"{kind} on {backend}: edit {number} in {project.root}: {failure}", file=sys.stderr)
                if os.environ.get("KEEP"):
                    project.leave = lambda: None
                return False
    finally:
        project.leave()
    print(f"{kind} on {backend}: {len(EDITS)} edits", flush=True)
    return True


def main():
    words = sys.argv[1:]
    backends = [word for word in words if word in BY_HAND] or list(BY_HAND)
    kinds = [word for word in words if word in KINDS] or list(KINDS)
    unknown = set(words) - set(BY_HAND) - set(KINDS)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}")
    pairs = [(kind, backend) for kind in kinds for backend in backends]
    # Most of the time goes into interpreters that start.
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(lambda pair: successive_edits(*pair), pairs))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
