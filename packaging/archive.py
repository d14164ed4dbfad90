#!/usr/bin/env python3
"""Makes archives whose bytes depend on names, contents and SOURCE_DATE_EPOCH alone.

archive.py FILE.tar.gz|FILE.zip DIRECTORY    an archive of the directory, with its name as the first part of each path
archive.py --sums DIRECTORY                  DIRECTORY/SHA256SUMS for the files that are directly in it
archive.py --check DIRECTORY                 compares the files with it
"""

import gzip
import hashlib
import os
import pathlib
import sys
import tarfile
import time
import zipfile

EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])


def files(directory: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def mode(path: pathlib.Path) -> int:
    return 0o755 if os.access(path, os.X_OK) else 0o644


def tar(archive: pathlib.Path, directory: pathlib.Path) -> None:
    with archive.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, EPOCH) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as out:
            for path in files(directory):
                info = tarfile.TarInfo(path.relative_to(directory.parent).as_posix())
                info.size, info.mode, info.mtime = path.stat().st_size, mode(path), EPOCH
                with path.open("rb") as content:
                    out.addfile(info, content)


def zip_entry(out: zipfile.ZipFile, name: str, content: bytes, permissions: int) -> None:
    # ZIP knows no time before 1980.
    date = max(time.gmtime(EPOCH)[:6], (1980, 1, 1, 0, 0, 0))
    info = zipfile.ZipInfo(name, date)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = (0o100000 | permissions) << 16
    out.writestr(info, content, compresslevel=9)


def zipped(archive: pathlib.Path, directory: pathlib.Path) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        for path in files(directory):
            name = path.relative_to(directory.parent).as_posix()
            zip_entry(out, name, path.read_bytes(), mode(path))


def sums(directory: pathlib.Path) -> str:
    listed = sorted(path for path in directory.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in listed]
    return "".join(lines)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["--sums", directory]:
            (pathlib.Path(directory) / "SHA256SUMS").write_text(sums(pathlib.Path(directory)), newline="\n")
        case ["--check", directory]:
            if (pathlib.Path(directory) / "SHA256SUMS").read_text() != sums(pathlib.Path(directory)):
                sys.exit(f"{directory}: the files are not those of SHA256SUMS")
        case [archive, directory] if archive.endswith(".tar.gz"):
            tar(pathlib.Path(archive), pathlib.Path(directory))
        case [archive, directory] if archive.endswith(".zip"):
            zipped(pathlib.Path(archive), pathlib.Path(directory))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
