"""Requests to web services, told to listeners and logged: ``boto.requestlog`` for boto 2, boto3 and botocore."""

from goanna.requestlog._botocore import Attachment, attach
from goanna.requestlog.events import RequestAttempt, RequestCompleted, RequestEvent, RequestFailed, RequestListener
from goanna.requestlog.hook import RequestHook, RequestHooks
from goanna.requestlog.logger import RequestLogger, RequestLogQueue

__all__ = [
    "Attachment",
    "RequestAttempt",
    "RequestCompleted",
    "RequestEvent",
    "RequestFailed",
    "RequestHook",
    "RequestHooks",
    "RequestListener",
    "RequestLogQueue",
    "RequestLogger",
    "attach",
]
