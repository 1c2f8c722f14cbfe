"""Requests to web services, told to listeners and logged: ``boto.requestlog`` for boto 2, boto3 and botocore.

No part of a library is replaced, so there is no plan and no ``install()``: boto 2 is given a hook, and ``attach()``
serves one session or client of botocore. All names are goanna's own, with these libraries and without, and there are no
halves: none of it is compiled.
"""

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
