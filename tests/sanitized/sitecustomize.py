"""Makes forks safe where the core is tested with AddressSanitizer (make sanitize): every process imports this first.

Up to version 17 of its runtime (GCC 12 has an older one) AddressSanitizer doesn't take its own locks before a fork. A
thread that is just beginning or ending allocates without the GIL; if the process is forked at that moment, the child
waits for ever, whether it has goanna or not: with plain Python, two threads that start others all the time, and a child
that starts one, some 30 forks were enough. Nothing else allocates without the GIL, so a fork that keeps the GIL for a
while first lets these threads come to where they wait for it.
"""

import ctypes
import functools
import os

# PyDLL, unlike CDLL, keeps the GIL during the call.
os.register_at_fork(before=functools.partial(ctypes.PyDLL(None).usleep, 20_000))
