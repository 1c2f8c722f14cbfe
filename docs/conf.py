"""Sphinx configuration; warnings are errors, see the Makefile."""

import pkgutil
import sys
from importlib.metadata import version as installed_version
from typing import Any

from sphinx.pycode import ModuleAnalyzer

project = "goanna"
author = "The goanna developers"
project_copyright = "2026, The goanna developers"
release = version = installed_version("goanna")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.doctest"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"goanna {release}"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
exclude_patterns = ["_build", "includes"]
nitpicky = True
# Without an inventory of Python's own documentation, which a build without network can't fetch, names outside goanna
# have nothing to refer to. Private modules are not documented.
nitpick_ignore_regex = [("py:.*", r"(?!goanna).*"), ("py:.*", r"goanna\._.*")]


def setup(app: Any) -> None:
    """Have the reference be of goanna's own monitoring module, which is what there is without PyMongo."""
    app.connect("builder-inited", _without_pymongo)
    app.connect("builder-inited", _in_the_order_of_the_source)


def _without_pymongo(app: Any) -> None:
    if app.builder.name != "doctest":  # doctests use the real one
        sys.modules["pymongo"] = None  # type: ignore[assignment]


def _in_the_order_of_the_source(app: Any) -> None:
    """Have members in the order that they are written in, though classes say the module that they are imported from."""
    import goanna.delivery

    parts = ["goanna.events", "goanna.listeners", "goanna.stats", "goanna.core.fields"]
    for package in (goanna.dispatch, goanna.delivery):
        parts += [one.name for one in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    for public in ("goanna", "goanna.delivery"):
        analyzer = ModuleAnalyzer.for_module(public)
        analyzer.analyze()
        for part in parts:
            one = ModuleAnalyzer.for_module(part)
            one.analyze()
            analyzer.tagorder.update(one.tagorder)
