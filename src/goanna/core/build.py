"""What the two halves must agree on: the version of goanna, and the sources that extension modules are built from.

``setup.py`` runs this file by itself to stamp what it compiles, so it imports nothing of goanna. An extension module
checks the version before it does anything else, and refuses to load beside other Python files than its own. Its sources
are compared where that is cheap, with those of the other extension modules, and where it is asked for, with ``ext/`` of
the checkout that goanna is imported from: reading that takes a tenth of what importing goanna takes.
"""

from __future__ import annotations

__all__ = ["__version__", "check", "checkout", "fingerprint", "sources", "stamp"]

__version__ = "0.1.0"


def stamp(fingerprint: str) -> str:
    """Return what an extension module that is built for these Python files, and of such sources, bears as ``BUILT``."""
    return f"goanna {__version__} built from {fingerprint}"


def check(built: str) -> None:
    """Refuse an extension module that asks as it loads, with what it bears.

    Raises:
        ImportError: it was built for another version.
    """
    version = built.split()[1]
    if version != __version__:
        raise ImportError(f"it was built for goanna {version}, and this is goanna {__version__}")


def sources(root: str) -> list[str]:
    """Return the files of a checkout, by their paths in it, that extension modules are built from."""
    from glob import glob

    patterns = "ext/*/*.pyx", "ext/*/*.pxi", "ext/*/*.h", "src/goanna/*/*.pxd"
    found = [one.replace("\\", "/") for pattern in patterns for one in glob(pattern, root_dir=root)]
    return sorted(found)


def fingerprint(root: str) -> str:
    """Return 16 hexadecimal digits that are others when one of the :func:`sources` is, by name or by content."""
    from hashlib import sha256

    found = sha256()
    for name in sources(root):
        with open(f"{root}/{name}", "rb") as file:
            content = file.read()
        found.update(f"{name} {len(content)}\n".encode() + content)
    return found.hexdigest()[:16]


def checkout() -> str | None:
    """Return the folder of the checkout that goanna is imported from; None where it is installed without sources."""
    from os.path import abspath, dirname, isfile, join

    root = dirname(dirname(dirname(dirname(abspath(__file__)))))
    return root if isfile(join(root, "ext", "core", "_compiled.pyx")) else None
