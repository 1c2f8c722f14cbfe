"""The core that is loaded, compiled or pure: what events and dispatchers are made of, for authors of other dispatchers.

Most programs never need it. ``goanna.BACKEND`` says which of the two it is.
"""

from goanna._backend import core

__all__ = ["Account", "Call", "Channel", "Maker", "Table", "reader"]

Account = core.Account
Call = core.Call
Channel = core.Channel
Maker = core.Maker
Table = core.Table
reader = core.reader
