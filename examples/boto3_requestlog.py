"""A request log, a slow listener and a log of attempts for boto3.

Usage: ``python examples/boto3_requestlog.py [URL]``, with the URL of a moto server; without one it starts one.
It needs ``pip install goanna boto3 "moto[server,ec2,s3,dynamodb,sqs]"``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import boto3
from botocore.exceptions import ClientError
from moto_server import moto_server

import goanna
from goanna.requestlog import RequestListener, RequestLogger, attach

CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}


class Dashboard(RequestListener):
    """Takes its time over every request, and holds up none, because it is queued."""

    def __init__(self):
        self.seconds = Counter()
        self.failures = []

    def completed(self, event):
        time.sleep(0.01)
        self.seconds[event.service] += event.duration

    def failed(self, event):
        self.failures.append(f"{event.service} {event.operation}: {event.status} {event.code}")


def work(session: boto3.Session, url: str) -> None:
    """Use four services."""
    ec2 = session.client("ec2", endpoint_url=url)
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    for _page in ec2.get_paginator("describe_volumes").paginate():
        pass
    try:
        ec2.delete_volume(VolumeId="vol-00000000")
    except ClientError as error:
        print("boto3 raised", error.response["Error"]["Code"])
    s3 = session.client("s3", endpoint_url=url)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"hello")
    assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == b"hello"
    session.client("dynamodb", endpoint_url=url).list_tables()
    session.client("sqs", endpoint_url=url).create_queue(QueueName="queue")


def main(url: str) -> None:
    """Attach a log and a listener to a session, and use it."""
    session = boto3.Session(**CREDENTIALS)
    dashboard = Dashboard()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requests.csv")
        with (
            RequestLogger(path, format="csv") as logger,
            goanna.queued(dashboard) as queued,
            attach(session, logger, attempts=True),  # before the clients are made
            attach(session, queued),
        ):
            work(session, url)
        print(path.read_text(), end="")
    print(logger.stats().delivered, "lines written,", logger.stats().failed, "lost")
    print("failed:", *dashboard.failures)
    print("seconds in", ", ".join(sorted(dashboard.seconds)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with moto_server() as url:
            main(url)
