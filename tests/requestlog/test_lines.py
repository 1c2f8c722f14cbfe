"""Log lines: boto's own byte for byte where that is sound, and what becomes of everything else."""

from __future__ import annotations

import ast
import csv
import io
import json
import time
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from goanna.texts import escaped, guarded
from support import boto2
from support.boto2 import Request, Response

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NOON = 1_700_000_000.0


def event(requestlog: ModuleType, kind: str = "RequestCompleted", **changes: Any) -> Any:
    known = {
        "service": "ec2", "operation": "DescribeVolumes", "status": 200, "duration": 0.009005, "bytes": 183,
        "attempts": None, "request_id": None, "time": NOON,
    }  # fmt: skip
    return getattr(requestlog, kind)(**{**known, **changes})


def ours(request: Any, response: Any, error: bool = False, now: float | None = None) -> str:
    """Return the line of goanna's logger."""
    from goanna.requestlog import _boto2, _clock, _lines

    taken = _boto2.take(request, response, error, **({} if now is None else {"wall": lambda: now}))
    return _lines.boto_line(_boto2.event_of(taken, _clock.Clock()))


@boto2.needed
@pytest.mark.usefixtures("backend")
@shared
@given(
    now=st.integers(10**15, 2 * 10**15),
    micros=st.integers(100, 10**9) | st.integers(0, 10**6).map(lambda one: one * 1000),
    status=st.sampled_from([200, 204, 206, 304, 400, 403, 404, 409, 500, 503]),
    length=st.integers(0, 10**12).map(str),
    action=st.from_regex(r"[A-Z][A-Za-z0-9]{0,40}", fullmatch=True),
    error=st.booleans(),
)
def test_an_ordinary_line_is_botos_byte_for_byte(
    theirs: Any, now: int, micros: int, status: int, length: str, action: str, error: bool
) -> None:
    assume(micros == 0 or micros >= 100)  # an exponent is one of the defects
    moment = now / 1e6
    request = Request(action, datetime.fromtimestamp(moment) - timedelta(microseconds=micros))
    assume(request.start_time.timestamp() + micros / 1e6 == pytest.approx(moment, abs=1))  # no change of zone between
    response = Response(status, length)
    assert ours(request, response, error, moment) == theirs(request, response, error, moment)


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_a_short_duration_has_no_exponent(theirs: Any) -> None:
    request = Request(start_time=datetime.fromtimestamp(NOON) - timedelta(microseconds=26))
    assert theirs(request, Response(), now=NOON).split(", ")[2] == "'2.6e-05'"
    assert ours(request, Response(), now=NOON).split(", ")[2] == "'0.000026'"


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_a_missing_length_is_empty(theirs: Any) -> None:
    assert theirs(Request(), Response(length=None)).split(", ")[3] == "'None'"
    assert ours(Request(), Response(length=None)).split(", ")[3] == "''"


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_a_failure_without_an_answer_is_a_line(theirs: Any) -> None:
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'status'"):
        theirs(Request(), None, error=True)
    _, status, _, size, action = ast.literal_eval(ours(Request(), None, error=True))
    assert (status, size, action) == ("", "0", "DescribeVolumes")


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_a_request_without_an_action_is_a_line(theirs: Any) -> None:
    request = Request(None)
    with pytest.raises(KeyError, match="Action"):
        theirs(request, Response())
    assert ast.literal_eval(ours(request, Response()))[4] == ""
    request.method = "GET"
    assert ast.literal_eval(ours(request, Response()))[4] == "GET"


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_a_quote_or_newline_does_not_forge_a_line(theirs: Any) -> None:
    action = "A', 'B'\n'2026-11-20 00:00:00', '200', '0.1', '1', 'Forged\\"
    assert theirs(Request(action), Response()).count("\n") == 2
    line = ours(Request(action), Response())
    assert line.count("\n") == 1
    assert ast.literal_eval(line)[4] == action


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_a_clock_that_was_set_back_gives_no_negative_duration(theirs: Any) -> None:
    request = Request(start_time=datetime.fromtimestamp(NOON) + timedelta(seconds=0.999995))
    assert theirs(request, Response(), now=NOON).split(", ")[2] == "'-0.999995'"
    assert ours(request, Response(), now=NOON).split(", ")[2] == "'0.0'"


@boto2.needed
@pytest.mark.usefixtures("backend")
def test_the_end_of_summer_time_is_no_hour(theirs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        end = 1_761_440_400.0  # 2025-10-26 01:00 UTC: from 02:59:59 it went back to 02:00:00
        request = Request(start_time=datetime.fromtimestamp(end - 0.5))
        assert theirs(request, Response(), now=end + 0.5).split(", ")[2] == "'-3599.0'"
        assert ours(request, Response(), now=end + 0.5).split(", ")[2] == "'1.0'"
    finally:
        monkeypatch.undo()
        time.tzset()


# Every format, whatever the texts

texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["'", '"', ",", "\\", "\n", "\r\n", "\r", "\x00", "\u2028", "\x85", "', '", '""', " ", "é", "\U0001f98e"]
)


@shared
@given(operation=texts, status=st.none() | st.integers(100, 599), size=st.none() | st.integers(0))
def test_a_line_of_boto_reads_back(
    requestlog: ModuleType, operation: str, status: int | None, size: int | None
) -> None:
    from goanna.requestlog import _lines

    line = _lines.boto_line(event(requestlog, operation=operation, status=status, bytes=size))
    assert len(line.splitlines()) == 1
    assert line.endswith("'\n")
    moment, *rest = ast.literal_eval(line)
    assert moment == datetime.fromtimestamp(NOON).strftime("%Y-%m-%d %H:%M:%S")
    shown = ["" if one is None else str(one) for one in (status, size)]
    assert rest == [shown[0], "0.009005", shown[1], operation]


@shared
@given(texts, texts, texts, st.none() | texts)
def test_csv_and_json_read_back(
    requestlog: ModuleType, service: str, operation: str, request_id: str, code: str | None
) -> None:
    from goanna.requestlog import _lines

    one = event(
        requestlog, "RequestFailed", service=service, operation=operation, request_id=request_id, code=code,
        attempts=3, error=ValueError(operation), bytes=None, status=None,
    )  # fmt: skip
    expected = {
        "time": "2023-11-14T22:13:20.000000Z", "event": "failed", "service": service, "operation": operation,
        "status": None, "duration": 0.009005, "bytes": None, "attempts": 3, "request_id": request_id, "code": code,
        "error": f"ValueError: {operation}",
    }  # fmt: skip
    line = _lines.json_object(one)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line) == expected
    assert list(json.loads(line)) == list(_lines.COLUMNS)
    text = _lines.header("csv") + _lines.csv_row(one) * 2
    assert len(text.splitlines()) == 3
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    shown = {name: "" if value is None else guarded(escaped(str(value))) for name, value in expected.items()}
    assert rows == [shown] * 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "\r=", "\uff1d"])
def test_what_a_spreadsheet_takes_for_a_formula(requestlog: ModuleType, start: str) -> None:
    from goanna.requestlog import _lines

    one = event(requestlog, operation=f'{start}HYPERLINK("http://x",A1)', bytes=-3)

    def row(guard: bool) -> dict[str, str]:
        return next(csv.DictReader(io.StringIO(_lines.header("csv") + _lines.line_format("csv", guard)(one))))

    cell = row(True)["operation"]
    assert cell.startswith(("'", "\\"))
    assert cell.endswith('HYPERLINK("http://x",A1)')
    assert row(False)["operation"] == escaped(one.operation)
    assert row(True)["bytes"] == "-3", "a number is none"


@pytest.mark.parametrize("format", ["boto", "csv", "json"])
def test_no_line_says_anything_to_a_terminal(requestlog: ModuleType, format: str) -> None:
    from goanna.requestlog import _lines

    bad = "".join(map(chr, [*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E, 0x2066]))
    one = event(requestlog, "RequestFailed", service=bad, operation=bad, request_id=bad, code=bad, error=OSError(bad))
    line = _lines.line_format(format)(one)
    assert line.endswith("\n")
    assert line[:-1].isprintable()


@pytest.mark.parametrize("format", ["csv", "json"])
def test_urls_in_errors_hold_no_secrets(requestlog: ModuleType, format: str) -> None:
    from goanna.requestlog import _lines

    url = "https://user:pass@host:1/bucket/key?X-Amz-Signature=secret&X-Amz-Security-Token=token#part"
    text = f'Could not connect to the endpoint URL: "{url}" (Caused by url: /key?X-Amz-Signature=secret)'
    line = _lines.line_format(format)(event(requestlog, "RequestFailed", error=OSError(text)))
    for one in ("user", "pass", "secret", "token", "X-Amz"):
        assert one not in line
    assert "https://host:1/bucket/key?..." in line


def test_the_kinds_of_events(requestlog: ModuleType) -> None:
    from goanna.requestlog import _lines

    kinds = [event(requestlog, kind) for kind in ("RequestCompleted", "RequestFailed", "RequestAttempt")]
    assert [json.loads(_lines.json_object(one))["event"] for one in kinds] == ["completed", "failed", "attempt"]


@shared
@given(st.none() | st.floats(0, 1e9))
def test_a_duration_has_no_exponent(requestlog: ModuleType, duration: float | None) -> None:
    from goanna.requestlog import _lines

    one = event(requestlog, duration=duration)
    text = _lines.boto_line(one).split(", ")[2].strip("'")
    assert f",{text},183," in _lines.csv_row(one)
    assert f'"duration": {text or "null"}, ' in _lines.json_object(one)
    if duration is not None:
        assert "e" not in text
        assert float(text) == pytest.approx(duration, abs=5.1e-7)


def test_an_error_that_cannot_be_shown(requestlog: ModuleType) -> None:
    from goanna.requestlog import _lines

    class Awkward(Exception):
        def __str__(self) -> str:
            raise ValueError

    line = _lines.json_object(event(requestlog, "RequestFailed", error=Awkward()))
    assert json.loads(line)["error"] == "Awkward, whose text raised ValueError"


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", ["xml", None, [], "BOTO"])
def test_a_format_that_does_not_exist(name: Any) -> None:
    from goanna.requestlog import _lines

    with pytest.raises(ValueError, match='; it must be "boto", "csv" or "json"$'):
        _lines.line_format(name)
