"""The examples as a reader would run them: each in a process of its own, with a server that it starts itself."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support import boto2
from support.aws_servers import Moto
from support.cores import backends

NO_MOTO = sys.implementation.name == "pypy" and importlib.util.find_spec("moto") is None
EXAMPLES = Path(__file__).parents[2] / "examples"


def run(core: str, name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env={**os.environ, "GOANNA_BACKEND": core},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


BOTO2 = re.compile(
    r"""'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', '200', '\d+\.\d+', '\d+', 'DescribeVolumes'
ec2 DeleteVolume failed with 400 after \d+\.\d{3} s
boto raised InvalidVolume.NotFound
\{.*"event": "completed", "service": "ec2", "operation": "CreateVolume", "status": 200, .*\}
\{.*"event": "completed", "service": "ec2", "operation": "DeleteVolume", "status": 200, .*\}
\{.*"event": "failed", "service": "ec2", "operation": "DeleteVolume", "status": 400, .*\}
3 lines written, 0 lost
"""
)

BOTO3 = re.compile(
    r"""boto3 raised InvalidVolume.NotFound
time,event,service,operation,status,duration,.*
(?:\d{4}-\d\d-\d\dT.*,(?:attempt|completed|failed),(?:ec2|s3|dynamodb|sqs),.*\n){16,}\d+ lines written, 0 lost
failed: ec2 DeleteVolume: 400 InvalidVolume.NotFound
seconds in dynamodb, ec2, s3, sqs
"""
)


@boto2.needed
@pytest.mark.parametrize("core", backends())
def test_boto2(core: str, moto: Moto) -> None:
    assert BOTO2.fullmatch(run(core, "boto2_requestlog.py", moto.url))


@pytest.mark.parametrize("core", backends())
def test_boto3(core: str, moto: Moto) -> None:
    assert BOTO3.fullmatch(run(core, "boto3_requestlog.py", moto.url))


@pytest.mark.parametrize(
    "name", [pytest.param("boto2_requestlog.py", marks=boto2.needed), "boto3_requestlog.py"], ids=["boto2", "boto3"]
)
@pytest.mark.skipif(NO_MOTO, reason="moto can't be installed: its cryptography has no wheels for PyPy")
def test_with_a_server_of_its_own(name: str) -> None:
    assert (BOTO2 if "boto2" in name else BOTO3).fullmatch(run("auto", name))
