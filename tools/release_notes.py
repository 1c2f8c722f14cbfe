"""Writes what CHANGES.md says of the present version into build/release-notes.md.

python tools/release_notes.py                 the version and the places that name it are checked
python tools/release_notes.py --tag v1.2.3    the tag as well, and that the version is not marked as unreleased
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notes(changes: str, version: str, tag: str | None) -> str:
    """Return the text below the first heading of the changes.

    Raises:
        ValueError: the heading is of another version, or `tag` is not of this one, or names a version that is marked as
            unreleased, or there is no text.
    """
    found = re.search(r"^## (\S+) \(([^)]+)\)\n(.*?)(?=^## |\Z)", changes, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError("CHANGES.md has no heading like '## 1.2.3 (2030-01-31)' or '## 1.2.3 (unreleased)'")
    heading, date, text = found.groups()
    if heading != version:
        raise ValueError(f"CHANGES.md begins with version {heading}, pyproject.toml says {version}")
    if tag is not None and tag != f"v{version}":
        raise ValueError(f"the tag is {tag!r}; that of version {version} is 'v{version}'")
    if tag is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise ValueError(f"version {version} is tagged, but CHANGES.md gives {date!r} in place of a date")
    if not text.strip():
        raise ValueError(f"CHANGES.md says nothing about version {version}")
    return text.strip() + "\n"


def main() -> int:
    """Return 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", help="the tag that is to be released")
    options = parser.parse_args()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    try:
        if f'__version__ = "{version}"' not in (ROOT / "src" / "goanna" / "core" / "build.py").read_text():
            raise ValueError(f"pyproject.toml says version {version}, goanna.__version__ something else")
        text = notes((ROOT / "CHANGES.md").read_text(), version, options.tag)
    except ValueError as error:
        print(f"release notes: {error}", file=sys.stderr)
        return 1
    out = ROOT / "build" / "release-notes.md"
    out.parent.mkdir(exist_ok=True)
    out.write_text(text)
    print(f"{out.relative_to(ROOT)}: version {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
