"""Imports run downwards: no module imports one above it, and nothing imports in a circle, inside packages too.

Every import counts, those in functions and those for type checkers among them.
"""

from __future__ import annotations

import pytest

from support.packages import needed

needed("grimp")

import grimp  # noqa: E402 - where it is missing there is nothing to import

LAYERS = (
    {"__main__"},
    {"cli"},
    {"bench"},
    {"recording"},
    {"install"},
    {"audit", "monitoring", "requestlog"},
    {"delivery"},
    {"dispatch"},
    {"listeners", "stats"},
    {"events"},
    {"event_definition"},
    {"checks"},
    {"errors", "install_report", "line_file", "silence", "texts"},
    {"core", "settings"},
)
"""What stands beside each other does not import each other either."""

IN_CORE = (
    {"_compiled", "_pure"},
    {"codegen", "recovery"},
    {"fields"},
    {"deferred", "forks", "marks"},
    {"base", "build"},
)
"""The halves over what they share. The package itself, ``goanna.core``, stands over both, because it chooses."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return built()


def built() -> grimp.ImportGraph:
    """Return the graph with extension modules; grimp takes an import of one for one of the package."""
    made = grimp.build_graph("goanna", cache_dir=None)
    for package in sorted(made.modules):
        for importer in sorted(made.find_modules_that_directly_import(package)):
            lines = [one["line_contents"] for one in made.get_import_details(importer=importer, imported=package)]
            compiled = [one for one in lines if one.startswith(f"from {package} import _compiled")]
            if compiled == lines:
                made.remove_import(importer=importer, imported=package)
            if compiled:
                made.add_import(importer=importer, imported=f"{package}._compiled")
    return made


def layers(names: tuple[set[str], ...]) -> list[grimp.Layer]:
    return [grimp.Layer(*sorted(one), independent=True) for one in names]


@pytest.mark.parametrize(("package", "names"), [("goanna", LAYERS), ("goanna.core", IN_CORE)])
def test_no_import_runs_up(graph: grimp.ImportGraph, package: str, names: tuple[set[str], ...]) -> None:
    found = graph.find_illegal_dependencies_for_layers(layers(names), containers={package})
    up = [[*route.heads, *route.middle, *route.tails] for one in found for route in one.routes]
    assert up == []


def test_every_module_has_its_layer(graph: grimp.ImportGraph) -> None:
    for package, names in (("goanna", LAYERS), ("goanna.core", IN_CORE)):
        children = {one.rpartition(".")[2] for one in graph.find_children(package)}
        assert children - set().union(*names) == set(), package


def test_nothing_imports_in_a_circle(graph: grimp.ImportGraph) -> None:
    """Neither files nor, at any depth, packages taken as a whole."""
    for package in sorted(graph.modules):
        if graph.find_children(package):
            assert graph.nominate_cycle_breakers(package) == set(), package
    assert circles(graph) == []


def circles(graph: grimp.ImportGraph) -> list[set[str]]:
    """Return the sets of modules that import each other, by what each can reach."""
    reached = {one: graph.find_upstream_modules(one) for one in graph.modules}
    found: list[set[str]] = []
    for one in sorted(graph.modules):
        circle = {other for other in reached[one] if one in reached[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def test_extension_modules_are_seen(graph: grimp.ImportGraph) -> None:
    for importer, half in (
        ("goanna.core", "goanna.core._compiled"),
        ("goanna.monitoring._install", "goanna.monitoring._compiled"),
        ("goanna.audit.tracker", "goanna.audit._compiled"),
    ):
        assert half in graph.find_modules_directly_imported_by(importer), importer


def test_these_tests_can_fail(graph: grimp.ImportGraph) -> None:
    other = built()
    other.add_import(importer="goanna.core.base", imported="goanna.events")
    assert other.find_illegal_dependencies_for_layers(layers(LAYERS), containers={"goanna"})
    assert circles(other)
