#!/usr/bin/env python3
"""Lays out the packages for npm and prints their directories.

npm.py TARGET BINARY LICENCES DIRECTORY
"""

import json
import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A target, what it is called after the name of the package, and when npm installs it.
PLATFORMS = {
    "x86_64-unknown-linux-gnu": ("linux-x64", "linux", "x64", "glibc"),
    "aarch64-unknown-linux-gnu": ("linux-arm64", "linux", "arm64", "glibc"),
    "x86_64-unknown-linux-musl": ("linux-x64-musl", "linux", "x64", "musl"),
    "aarch64-unknown-linux-musl": ("linux-arm64-musl", "linux", "arm64", "musl"),
    "x86_64-apple-darwin": ("darwin-x64", "darwin", "x64", None),
    "aarch64-apple-darwin": ("darwin-arm64", "darwin", "arm64", None),
    "x86_64-pc-windows-msvc": ("win32-x64", "win32", "x64", None),
}


def common(name: str, version: str) -> dict:
    address = os.environ.get("MIGRATOR_REPOSITORY")
    return {
        "name": name,
        "version": version,
        "description": "Database migrations for SQLite and PostgreSQL in plain SQL",
        "license": "MIT OR Apache-2.0",
        **({"repository": {"type": "git", "url": f"git+{address}.git"}} if address else {}),
    }


def lay(directory: pathlib.Path, manifest: dict, files: dict[str, pathlib.Path]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, source in files.items():
        shutil.copy(source, directory / name)
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        shutil.copy(ROOT / name, directory)
    manifest["files"] = sorted(files)
    (directory / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", newline="\n")
    print(directory)


def main(target: str, binary: str, licences: str, directory: str) -> None:
    name, version = os.environ["name"], os.environ["version"]
    if target not in PLATFORMS:
        sys.exit(f"packaging/npm: no platform of Node is known for {target}")
    suffix, system, processor, library = PLATFORMS[target]
    program = pathlib.Path(binary)
    of_platform = common(f"{name}-{suffix}", version) | {
        "os": [system],
        "cpu": [processor],
        **({"libc": [library]} if library else {}),
        "preferUnplugged": True,
    }
    files = {program.name: program, "THIRD-PARTY-LICENCES.txt": pathlib.Path(licences)}
    lay(pathlib.Path(directory) / suffix, of_platform, files)
    main_package = common(name, version) | {
        "type": "module",
        "bin": {"migrator": "cli.mjs"},
        "exports": {".": {"types": "./index.d.mts", "default": "./index.mjs"}, "./package.json": "./package.json"},
        "types": "./index.d.mts",
        "engines": {"node": ">=18"},
        "optionalDependencies": {f"{name}-{it[0]}": version for it in PLATFORMS.values()},
    }
    node = ROOT / "packaging/node"
    sources = {path.name: path for path in sorted(node.iterdir())}
    lay(pathlib.Path(directory) / "main", main_package, sources)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
