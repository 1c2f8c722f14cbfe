"""The pages' Python runs as it stands there: the blocks of a page, one after the other, in a process of its own.

Blocks whose output is shown are doctests of `make docs`. The others are run here, against servers that the tests start;
what a page takes for granted (a connection that is there, a listener that the reader has) is given to it before.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from goanna.cli.demo.wire_server import WireServer
from support import boto2
from support.aws_servers import Moto, one_moto
from support.cores import backends

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent

BLOCK = re.compile(r"^```\{?([\w-]*)\}?[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

MONGO = "mongodb://localhost:27017"

README = """
import asyncio
import sys
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient, monitoring
from support import boto2
import boto3

class MyLogger(monitoring.CommandListener):
    def started(self, event): ...
    def succeeded(self, event): ...
    def failed(self, event): ...

MyListener = MyLogger
loop = asyncio.new_event_loop()
conn = boto2.ec2(sys.argv[2])
session = boto3.Session()
"""

BOTO = """
import sys
from support import boto2

conn = boto2.ec2(sys.argv[2])
from goanna.requestlog import RequestHook

calls = []

class MyHook(RequestHook):
    def handle_request_data(self, request, response, error=False):
        calls.append(response.status)
"""

DBALLY = """
async def call_the_model(question):
    return "42"
"""

DBALLY_AFTER = """
import asyncio
asyncio.run(answer("how many?"))
"""

BOTO_AFTER = """
from boto.exception import EC2ResponseError
try:
    conn.delete_volume("vol-00000000")
except EC2ResponseError as error:
    assert error.status == 400
assert calls == [400]
assert request_logger.flush(60) == 0
assert request_logger.stats().delivered == 2
"""

LINE = r"(?:\w+ started\n\w+ took \d+ us\n)"


class Page(NamedTuple):
    """What a page needs around it, and what it prints."""

    printed: str
    before: str = ""
    after: str = ""


PAGES = {
    "README.md": Page(r"OrderPlaced\(order_id=1, total=9\.5\)\n1\n(?:.*\n)+", README),
    "docs/pymongo.md": Page(
        LINE + r"+pymongo\.monitoring, \w+ core: \d+ publish methods made fast.*\n(?:  publish_.*\n)*"
    ),
    "docs/motor.md": Page(LINE + r"{2}4\n4\n"),
    "docs/boto.md": Page(r"ec2 DeleteVolume: 400 after \d\.\d{3} s\n", BOTO, BOTO_AFTER),
    "docs/dbally.md": Page(r"LLMEvent [\d.e-]+\nrequest [\d.e-]+\n", DBALLY, DBALLY_AFTER),
}

SHELL = {"docs/pymongo.md", "docs/benchmarking.md", "docs/recording.md", "README.md"}
"""Pages with commands."""

SHOWN = {
    "docs/architecture.md",
    "docs/boto.md",
    *(f"docs/performance-{one}.md" for one in ("delivery", "figures", "monitoring")),
}
"""Pages with blocks that are no program: diagrams, what a program has written."""


def blocks(page: str, *languages: str) -> list[str]:
    """Return the blocks of a page in one of these languages."""
    return [text for language, text in BLOCK.findall((ROOT / page).read_text("utf-8")) if language in languages]


def pages() -> list[str]:
    """Return all pages of the documentation and those at the root."""
    return [str(path.relative_to(ROOT)) for folder in (ROOT, ROOT / "docs") for path in sorted(folder.glob("*.md"))]


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    yield from one_moto()


@pytest.mark.parametrize("core", backends())
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=boto2.needed if "boto2" in page.before else ()) for name, page in PAGES.items()]
)
def test_a_page_runs_as_it_stands(name: str, core: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    page = PAGES[name]
    port = request.getfixturevalue("moto").port if "boto2" in page.before else 0
    with WireServer() as server:
        text = "\n".join([page.before, *blocks(name, "python"), page.after]).replace(MONGO, server.uri)
        (tmp_path / "page.py").write_text(text, "utf-8")
        environment = {key: value for key, value in os.environ.items() if key != "GOANNA_INSTALL"}
        environment |= {
            "GOANNA_BACKEND": core,
            "PYTHONPATH": str(TESTS),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        done = subprocess.run(
            [sys.executable, "page.py", server.uri, str(port)],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout}\n{done.stderr}"
    assert re.fullmatch(page.printed, done.stdout), done.stdout


def test_no_block_of_any_page_is_left_out() -> None:
    with_python = {name for name in pages() if blocks(name, "python", "code-block")}
    assert with_python == set(PAGES)
    assert not [name for name in pages() if blocks(name, "code-block", "py", "pycon")]
    assert {name for name in pages() if blocks(name, "")} == SHELL | SHOWN
    shown = {name for name in pages() if blocks(name, "testcode")}
    assert {"docs/events.md", "docs/queued.md", "docs/on-loop.md", "docs/filters.md", "docs/delivery.md"} <= shown


def commands(page: str) -> list[list[str]]:
    """Return the arguments of each call of goanna on a page."""
    lines = "".join(blocks(page, "")).splitlines()
    found = [re.sub(r"\s+#.*", "", one).removeprefix("python -m ") for one in lines]
    return [shlex.split(one)[1:] for one in found if one.startswith("goanna ")]


APP = """
from pymongo import MongoClient, monitoring

class Printed(monitoring.CommandListener):
    def started(self, event):
        print(event.command_name)
    def succeeded(self, event): ...
    def failed(self, event): ...

with MongoClient(URI, event_listeners=[Printed()]) as client:
    client.admin.command("ping")
"""

LISTENER = """
from pymongo import monitoring

class Class(monitoring.CommandListener):
    def started(self, event):
        print("again", event.command_name)
    def succeeded(self, event): ...
    def failed(self, event): ...

if __name__ == "__main__":
    print("a module")
"""

RUN = {
    "docs/pymongo.md": ["ping\nendSessions\n", "a module\n"],
    "docs/recording.md": ["ping\nendSessions\n", "documents omitted\n", "again ping\nagain endSessions\n"],
}
"""What the commands of a page print, among other things."""


@pytest.mark.parametrize("core", backends())
@pytest.mark.parametrize("name", RUN)
def test_the_commands_of_a_page_run_as_they_stand(name: str, core: str, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text(LISTENER, "utf-8")
    found = commands(name)
    assert len(found) == len(RUN[name])
    with WireServer() as server:
        (tmp_path / "app.py").write_text(APP.replace("URI", repr(server.uri)), "utf-8")
        for arguments, expected in zip(found, RUN[name], strict=True):
            done = subprocess.run(
                [sys.executable, "-m", "goanna", *[sys.executable if one == "python" else one for one in arguments]],
                cwd=tmp_path,
                env={**os.environ, "GOANNA_BACKEND": core},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=120,
            )
            assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
            assert expected in done.stdout, arguments


def test_the_commands_that_measure_have_the_options_that_are_shown() -> None:
    """They take minutes; tests/bench runs them on less."""
    done = subprocess.run(
        [sys.executable, "-m", "goanna", "bench", "--help"], capture_output=True, encoding="utf-8", check=True
    )
    shown = set(re.findall(r"--[a-z]+", done.stdout))
    for page in ("docs/benchmarking.md", "README.md"):
        for command, *arguments in commands(page):
            assert command == "bench"
            assert {one for one in arguments if one.startswith("-")} <= shown
    assert len(commands("docs/benchmarking.md")) > 4
