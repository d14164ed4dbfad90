#!/usr/bin/env python3
"""Makes the wheel for a target: the command, `python -m migrator`, and the plugin for pytest.

wheel TARGET BINARY DIRECTORY

The command is copied into the environment's own directory of programs, so it starts without Python.
"""

import base64
import hashlib
import os
import pathlib
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "packaging"))
sys.dont_write_bytecode = True

from archive import zip_entry  # noqa: E402

PLATFORMS = {
    "x86_64-unknown-linux-gnu": "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "aarch64-unknown-linux-gnu": "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "x86_64-unknown-linux-musl": "musllinux_1_1_x86_64",
    "aarch64-unknown-linux-musl": "musllinux_1_1_aarch64",
    "x86_64-apple-darwin": "macosx_10_12_x86_64",
    "aarch64-apple-darwin": "macosx_11_0_arm64",
    "x86_64-pc-windows-msvc": "win_amd64",
}


def metadata(name: str, version: str) -> str:
    address = os.environ.get("MIGRATOR_REPOSITORY")
    readme = (ROOT / "packaging/python/README.md").read_text(encoding="utf-8")
    fields = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        "Summary: Database migrations for SQLite and PostgreSQL in plain SQL, with a pytest plugin",
        "License-Expression: MIT OR Apache-2.0",
        "License-File: LICENSE-MIT",
        "License-File: LICENSE-APACHE",
        "License-File: THIRD-PARTY-LICENCES.txt",
        "Keywords: database,migration,sqlite,postgresql,schema,pytest",
        "Classifier: Environment :: Console",
        "Classifier: Framework :: Pytest",
        "Classifier: Topic :: Database",
        "Classifier: Typing :: Typed",
        "Requires-Python: >=3.9",
        *([f"Project-URL: Repository, {address}"] if address else []),
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join(fields) + "\n\n" + readme


def main(target: str, binary: str, directory: str) -> None:
    name, version = os.environ["name"], os.environ["version"]
    if target not in PLATFORMS:
        sys.exit(f"packaging/wheel: no platform of Python is known for {target}")
    module = f"{name.replace('-', '_')}-{version}"
    info = f"{module}.dist-info"
    tags = [f"py3-none-{one}" for one in PLATFORMS[target].split(".")]
    wheel = "Wheel-Version: 1.0\nGenerator: packaging/wheel\nRoot-Is-Purelib: false\n"
    wheel += "".join(f"Tag: {tag}\n" for tag in tags)
    program = pathlib.Path(binary)
    licences = pathlib.Path(os.environ["licences"])
    entries = [
        (f"migrator/{path.name}", path.read_bytes(), 0o644)
        for path in sorted((ROOT / "packaging/python/migrator").iterdir())
        if path.is_file()
    ]
    entries += [
        (f"{module}.data/scripts/{program.name}", program.read_bytes(), 0o755),
        (f"{info}/METADATA", metadata(name, version).encode(), 0o644),
        (f"{info}/WHEEL", wheel.encode(), 0o644),
        (f"{info}/entry_points.txt", b"[pytest11]\nmigrator = migrator.pytest_plugin\n", 0o644),
        (f"{info}/licenses/LICENSE-MIT", (ROOT / "LICENSE-MIT").read_bytes(), 0o644),
        (f"{info}/licenses/LICENSE-APACHE", (ROOT / "LICENSE-APACHE").read_bytes(), 0o644),
        (f"{info}/licenses/THIRD-PARTY-LICENCES.txt", licences.read_bytes(), 0o644),
    ]
    record = ""
    for path, content, _ in entries:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    record += f"{info}/RECORD,,\n"
    entries.append((f"{info}/RECORD", record.encode(), 0o644))
    file = pathlib.Path(directory) / f"{module}-py3-none-{PLATFORMS[target]}.whl"
    with zipfile.ZipFile(file, "w") as out:
        for path, content, permissions in entries:
            zip_entry(out, path, content, permissions)
    print(file)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
