#!/usr/bin/env python3
"""Lists the crates that are compiled into the command, and their licences.

sbom.py TARGET [--sbom FILE] [--licences FILE]

FILE of --sbom is a CycloneDX 1.5 document, FILE of --licences has the texts. A crate whose licence is not in ALLOWED
is an error. The list is what `cargo tree` resolves for the target and default features,
without build scripts' own dependencies and procedural macros, of which nothing is in the command.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "CC0-1.0", "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense", "Zlib",
}

TEXTS = re.compile(r"(?i)^(licen[cs]e|copying|notice|unlicense|copyright)")


def cargo(*arguments: str) -> str:
    run = subprocess.run(["cargo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        sys.exit(f"packaging/sbom.py: cargo {arguments[0]} failed")
    return run.stdout


def packages(target: str) -> list[dict]:
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--locked", "--filter-platform", target))
    by_id = {package["id"]: package for package in metadata["packages"]}
    tree = cargo("tree", "--locked", "--edges", "normal,no-proc-macro", "--target", target, "--prefix", "none",
                 "--format", "{p}")
    wanted = {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}
    root = metadata["resolve"]["root"]
    found = [it for it in by_id.values()
             if (it["name"], f"v{it['version']}") in wanted and it["id"] != root]
    if len(found) < 20:
        sys.exit("packaging/sbom.py: cargo tree cannot be read")
    return sorted(found, key=lambda it: (it["name"], it["version"]))


def is_allowed(expression: str) -> bool:
    """Whether one of the choices of an SPDX expression has allowed licences only."""
    words = expression.replace("/", " OR ").replace("(", " ( ").replace(")", " ) ").split()

    def either() -> bool:
        fine = both()
        while words and words[0] == "OR":
            words.pop(0)
            fine = both() or fine
        return fine

    def both() -> bool:
        fine = one()
        while words and words[0] == "AND":
            words.pop(0)
            fine = one() and fine
        return fine

    def one() -> bool:
        word = words.pop(0)
        if word == "(":
            fine = either()
            words.pop(0)
            return fine
        if words and words[0] == "WITH":
            word = f"{word} {words.pop(0)} {words.pop(0)}"
        return word in ALLOWED

    return either()


def texts(package: dict) -> list[str]:
    directory = pathlib.Path(package["manifest_path"]).parent
    files = [path for path in sorted(directory.iterdir()) if path.is_file() and TEXTS.match(path.name)]
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def licences(found: list[dict]) -> str:
    by_text: dict[str, list[str]] = {}
    without = []
    parts = ["Crates that are compiled into migrator, and their licences.\n"]
    for package in found:
        title = f"{package['name']} {package['version']}"
        parts.append(f"  {title}: {package['license']}")
        own = texts(package)
        if not own:
            without.append(title)
        for text in own:
            by_text.setdefault(text, []).append(title)
    if without:
        parts.append("\nWithout a file of its own, under the terms that it names: " + ", ".join(without))
    for text, titles in by_text.items():
        parts.append("\n" + "=" * 78 + "\n" + ", ".join(titles) + "\n" + "=" * 78 + "\n\n" + text)
    return "\n".join(parts) + "\n"


def sbom(found: list[dict], target: str, version: str) -> dict:
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    lock = (ROOT / "Cargo.lock").read_text()
    sums = {f"{name} {number}": checksum for name, number, checksum in re.findall(
        r'name = "([^"]+)"\nversion = "([^"]+)"\nsource = "[^"]+"\nchecksum = "([0-9a-f]+)"', lock)}
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:cargo/{it['name']}@{it['version']}",
            "name": it["name"],
            "version": it["version"],
            "purl": f"pkg:cargo/{it['name']}@{it['version']}",
            "hashes": [{"alg": "SHA-256", "content": sums[f"{it['name']} {it['version']}"]}],
            "licenses": [{"expression": it["license"].replace("/", " OR ")}],
        }
        for it in found
    ]
    body = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'migrator {version} {target} {body}')}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": "migrator",
                "name": "migrator",
                "version": version,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "properties": [{"name": "target", "value": target}],
            },
        },
        "components": components,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--sbom", type=pathlib.Path)
    parser.add_argument("--licences", type=pathlib.Path)
    arguments = parser.parse_args()
    found = packages(arguments.target)
    refused = [f"{it['name']} {it['version']}: {it['license']}" for it in found
               if not it["license"] or not is_allowed(it["license"])]
    if refused:
        sys.exit("packaging/sbom.py: licences that are not allowed:\n" + "\n".join(refused))
    if arguments.licences:
        arguments.licences.write_text(licences(found), encoding="utf-8", newline="\n")
    if arguments.sbom:
        text = json.dumps(sbom(found, arguments.target, os.environ["version"]), indent=1)
        arguments.sbom.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
