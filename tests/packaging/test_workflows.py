"""The workflows can't be run here; what can be known of them without running them is."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from support.distributions import ROOT

pytestmark = pytest.mark.workflows

TIED_TO_THE_PLATFORM = {
    'echo "file=$(echo dist/*.tar.gz)"': "names the sdist for the next step, in the platform's own file of outputs",
    "gh release create": "makes a release where the platform keeps them",
    "sudo apt-get": "installs what the runner lacks",
    "sudo make sid": "takes root and half an hour",
    "make freethreaded": "takes an interpreter without a GIL",
}
"""Commands that .ci/run need not have, by how they begin, and why."""

TRIGGERS = True  # what YAML makes of the key "on"


def workflows() -> dict[str, dict[Any, Any]]:
    import yaml

    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{flow}/{name}", job) for flow, text in workflows().items() for name, job in text["jobs"].items()]


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [(name, step) for name, job in jobs() for step in job.get("steps", ())]


def used() -> list[tuple[str, str]]:
    return [(name, one["uses"]) for name, one in jobs() + steps() if "uses" in one]


def targets(command: str) -> set[str]:
    """Return the targets of a call of make."""
    return {word for word in shlex.split(command)[1:] if "=" not in word and not word.startswith("-")}


def ci_targets() -> set[str]:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    return set().union(*(targets(line) for line in lines if line.startswith("make ")))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def identifiers(platform: str, **environment: str) -> set[str]:
    """Return what cibuildwheel would build."""
    done = subprocess.run(
        [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers", "--platform", platform, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return set(done.stdout.split())


def test_there_are_the_four() -> None:
    assert set(workflows()) == {"ci", "nightly", "release", "wheels"}


def test_every_command_is_one_that_runs_here_too() -> None:
    known, seen = ci_targets(), set()
    for name, step in steps():
        for command in step.get("run", "").splitlines():
            tied = [one for one in TIED_TO_THE_PLATFORM if command.startswith(one)]
            if tied:
                seen.update(tied)
            else:
                assert command.startswith("make "), (name, command)
                assert targets(command), (name, command)
                assert targets(command) <= known, (name, command)
    assert seen == set(TIED_TO_THE_PLATFORM)


def test_ci_does_all_that_runs_here() -> None:
    commands = [
        step["run"] for name, step in steps() if name.startswith(("ci/", "wheels/", "release/")) and "run" in step
    ]
    done = set().union(*(targets(one) for one in commands if one.startswith("make ")))
    assert done >= ci_targets()


def test_the_targets_are_in_the_makefile() -> None:
    made = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert ci_targets() | {"sid", "interpreters", "freethreaded"} <= made


def test_permissions_are_given_job_by_job() -> None:
    for text in workflows().values():
        assert text["permissions"] == {}
    for name, job in jobs():
        assert "permissions" in job, name
        writes = {key for key, value in job["permissions"].items() if value == "write"}
        assert writes == {"release/publish": {"id-token"}, "release/notes": {"contents"}}.get(name, set()), name


def test_every_job_ends_and_none_queues_up_behind_itself() -> None:
    for name, job in jobs():
        assert job["uses"].startswith("./") if "uses" in job else 0 < job["timeout-minutes"] <= 90, name
    for name, text in workflows().items():
        called_only = set(text[TRIGGERS]) == {"workflow_call"}
        assert called_only or text["concurrency"]["group"], name
    assert workflows()["release"]["concurrency"]["cancel-in-progress"] is False


def test_actions_are_pinned_by_hash_with_their_version_beside_it() -> None:
    for name, one in used():
        assert one.startswith("./") or re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", one), (name, one)
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for line in path.read_text().splitlines():
            if "uses: " in line and "uses: ./" not in line:
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), (path.name, line)
    assert len({one for _, one in used() if one.startswith("actions/checkout@")}) == 1


def test_nothing_is_green_that_is_not_all_green() -> None:
    every = workflows()["ci"]["jobs"]
    assert set(every["all-green"]["needs"]) == set(every) - {"all-green"}
    assert every["all-green"]["if"] == "always()"


def test_a_tag_is_checked_before_wheels_are_built_and_those_before_anything_is_published() -> None:
    release = workflows()["release"]
    assert release[TRIGGERS] == {"push": {"tags": ["v*"]}}
    assert [release["jobs"][name].get("needs") for name in ("check", "wheels", "publish", "notes")] == [
        None, "check", "wheels", "publish"
    ]  # fmt: skip
    assert release["jobs"]["publish"]["environment"]["name"] == "pypi"
    assert "with" not in release["jobs"]["wheels"]  # no subset


VERSIONS = ("311", "312", "313", "314", "314t", "315", "315t")
PLATFORMS = {
    "linux": ("manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"),
    "macos": ("macosx_x86_64", "macosx_arm64"),
    "windows": ("win_amd64", "win_arm64"),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_cibuildwheel_would_build_what_is_promised(platform: str) -> None:
    expected = {f"cp{version}-{one}" for version, one in itertools.product(VERSIONS, PLATFORMS[platform])}
    assert identifiers(platform) == expected


@pytest.mark.parametrize("subset", [True, False])
def test_the_workflow_builds_each_of_them_once(subset: bool) -> None:
    binary = workflows()["wheels"]["jobs"]["binary"]
    [step] = [one for one in binary["steps"] if one.get("uses", "").startswith("pypa/cibuildwheel@")]
    found = re.fullmatch(r"\$\{\{ inputs\.subset && '([^']*)' \|\| '([^']*)' \}\}", step["env"]["CIBW_SKIP"])
    assert found is not None
    built: list[str] = []
    for runner in binary["strategy"]["matrix"]["include"]:
        [platform] = [
            name for name in PLATFORMS if name.startswith(runner["os"].partition("-")[0].replace("ubuntu", "linux"))
        ]
        skip = found[1 if subset else 2]
        built += identifiers(platform, CIBW_ARCHS=runner["archs"], CIBW_SKIP=skip)
    versions = ("311", "315", "315t") if subset else VERSIONS
    assert sorted(built) == sorted(
        f"cp{version}-{one}" for version, one in itertools.product(versions, itertools.chain(*PLATFORMS.values()))
    )


def test_the_workflow_uses_the_cibuildwheel_that_was_asked_here() -> None:
    text = (ROOT / ".github" / "workflows" / "wheels.yml").read_text()
    [version] = re.findall(r"pypa/cibuildwheel@\w+ # v([\d.]+)", text)
    assert f"cibuildwheel=={version}" in project()["dependency-groups"]["workflows"]


def test_every_interpreter_that_wheels_are_for_is_tested_and_named() -> None:
    versions = {f"3.{one[1:]}" for one in VERSIONS}
    ci = workflows()["ci"]["jobs"]
    tested = [one for job in ("tests", "freethreaded") for one in ci[job]["strategy"]["matrix"]["python"]]
    assert sorted(tested) == sorted(versions)
    named = {one.rpartition(" ")[2] for one in project()["project"]["classifiers"] if ":: Python :: 3." in one}
    assert named == {one.removesuffix("t") for one in versions}


def test_wheels_are_tested_with_the_compiled_core_away_from_the_sources() -> None:
    said = project()["tool"]["cibuildwheel"]
    assert said["environment"]["GOANNA_BUILD_EXT"] == "require"
    assert said["test-environment"] == {"GOANNA_BACKEND": "c"}
    assert said["test-sources"] == ["tests", "pyproject.toml"]
    for platform in PLATFORMS:  # a platform's table replaces the one above it
        assert said[platform].get("environment", said["environment"])["GOANNA_BUILD_EXT"] == "require"


def test_templates_of_issues_are_well_formed() -> None:
    import yaml

    forms = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")}
    assert set(forms.pop("config")) <= {"blank_issues_enabled", "contact_links"}
    assert len(forms) == 3
    for name, form in forms.items():
        assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "labels", "title"}, name
        ids = [one["id"] for one in form["body"]]
        assert len(ids) == len(set(ids)), name
        for one in form["body"]:
            assert one["type"] in {"textarea", "input", "dropdown", "checkboxes"}, (name, one)
            assert one["attributes"]["label"], (name, one)
            assert ("options" in one["attributes"]) == (one["type"] in {"dropdown", "checkboxes"}), (name, one)


def test_dependabot_looks_at_all_that_is_pinned() -> None:
    import yaml

    text = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    assert text["version"] == 2
    assert {one["package-ecosystem"]: one["directory"] for one in text["updates"]} == {
        "github-actions": "/",
        "pip": "/",
    }


class TestReleaseNotes:
    """tools/release_notes.py."""

    CHANGES = "# Changes\n\n## 1.2.3 (2030-01-31)\n\n- One.\n\n## 1.2.2 (2029-01-31)\n\n- Old.\n"

    @pytest.fixture
    def notes(self) -> Any:
        import runpy

        return runpy.run_path(str(ROOT / "tools" / "release_notes.py"))["notes"]

    def test_they_are_what_changes_says_of_the_version(self, notes: Any) -> None:
        assert notes(self.CHANGES, "1.2.3", None) == notes(self.CHANGES, "1.2.3", "v1.2.3") == "- One.\n"

    @pytest.mark.parametrize(
        ("changes", "version", "tag", "message"),
        [
            (CHANGES, "1.2.4", None, "CHANGES.md begins with version 1.2.3, pyproject.toml says 1.2.4"),
            (CHANGES, "1.2.3", "v1.2.4", "the tag is 'v1.2.4'; that of version 1.2.3 is 'v1.2.3'"),
            (CHANGES.replace("2030-01-31", "unreleased"), "1.2.3", "v1.2.3", "gives 'unreleased' in place of a date"),
            ("# Changes\n\n## 1.2.3 (2030-01-31)\n\n## 1.2.2 (2029-01-31)\n", "1.2.3", None, "says nothing about"),
            ("# Changes\n", "1.2.3", None, "has no heading like"),
        ],
    )
    def test_what_does_not_fit_is_an_error(
        self, notes: Any, changes: str, version: str, tag: str | None, message: str
    ) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            notes(changes, version, tag)


def test_paths_that_workflows_upload_are_those_that_make_writes() -> None:
    assert "build/release-notes.md" in (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert 'ROOT / "build" / "release-notes.md"' in (ROOT / "tools" / "release_notes.py").read_text()
