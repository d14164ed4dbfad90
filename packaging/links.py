#!/usr/bin/env python3
"""Checks that every link of a site to a page, a place on a page or a file leads somewhere: links.py DIRECTORY"""

import html.parser
import pathlib
import sys
import urllib.parse


class Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, "str | None"]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.places.add(value)
            if name in ("href", "src") and value is not None:
                self.links.append(value)


def main(directory: pathlib.Path) -> None:
    pages = {}
    for path in sorted(directory.rglob("*.html")):
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        pages[path.resolve()] = page
    checked, broken = 0, []
    for path, page in pages.items():
        # Served for any address that does not exist; its links begin at the root of the site.
        if path.name == "404.html":
            continue
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / urllib.parse.unquote(parts.path)).resolve()
            checked += 1
            fragment = urllib.parse.unquote(parts.fragment)
            if not target.is_file():
                broken.append(f"{path.relative_to(directory.resolve())}: {link}")
            elif fragment and target in pages and fragment not in pages[target].places:
                broken.append(f"{path.relative_to(directory.resolve())}: {link}: no such place")
    if broken:
        sys.exit("links that lead nowhere:\n" + "\n".join(sorted(set(broken))))
    if checked < 1000:
        sys.exit(f"only {checked} links were found in {directory}")
    print(f"{len(pages)} pages, {checked} links")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
