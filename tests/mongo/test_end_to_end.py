"""Real clients against a server: what a listener to everything gets, stock and installed."""

from __future__ import annotations

import contextlib

import pytest

from mongo.conftest import REAL
from mongo.drivers import DRIVERS
from mongo.recorder import Record
from mongo.scenarios import SCENARIOS, without_repeats
from mongo.server import Server

Recording = dict[str, list[Record]]

_stock: dict[tuple[str, str], Recording] = {}


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if REAL and SCENARIOS[name].needs_own:
        pytest.skip("only a server of our own holds commands and goes away when it is told to")
    return name


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def play(scenario: str, driver: str, uri: str, server: Server | None) -> Recording:
    """Play a scenario, check that it brought about what it must, and return what can be compared."""
    if scenario == "server goes away":
        # One of its own: whatever becomes of it, the others have theirs.
        with contextlib.closing(Server()) as mine:
            recorder = SCENARIOS[scenario].record(DRIVERS[driver], mine.uri, mine)
    else:
        recorder = SCENARIOS[scenario].record(DRIVERS[driver], uri, server)
    assert SCENARIOS[scenario].events <= recorder.names()
    if REAL:
        # How often a real topology changes and which members it has is its own affair.
        return {"Command": recorder.records["Command"]}
    timed = recorder.records if scenario == "server goes away" else ("ServerHeartbeat",)
    return {
        family: without_repeats(records) if family in timed else records for family, records in recorder.records.items()
    }


@pytest.fixture
def stock(scenario: str, driver: str, uri: str, server: Server | None) -> Recording:
    """The recording of the stock driver. To be asked for before ``installed``."""
    key = (scenario, driver)
    if key not in _stock:
        _stock[key] = play(scenario, driver, uri, server)
    return _stock[key]


def test_the_same_events(
    stock: Recording, scenario: str, driver: str, uri: str, server: Server | None, installed: str
) -> None:
    assert play(scenario, driver, uri, server) == stock
