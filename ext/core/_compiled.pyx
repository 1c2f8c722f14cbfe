# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False, freethreading_compatible=True
"""The compiled core: the same names, signatures, texts and behaviour as ``goanna.core._pure``, which explains them.

Read the pure core first; each part here has the name of its part there. What is different here is how, not what:

- an event is allocated by its type and its slots are written at their offsets, ``__init__`` does not run;
- a bound method is kept as function and instance, and called with both, which saves the interpreter a step;
- Maker, Channel, Filter, Inlet and event classes are called through the vectorcall protocol, without a tuple or dict of
  arguments;
- whatever is irregular (arguments that don't fit, calls that raise) is left to the same Python code as in the pure core;
- a push takes no lock and allocates nothing: it runs from beginning to end under the interpreter's lock, and whatever
  could run other code (a reference that goes away, a wake-up) comes last, when everything is as it must be.

The C arrays in a Table hold borrowed references to what its tuple of calls owns. Table, Call and Maker can't change
once made, so like tuples they need no tp_clear, and nothing borrowed can go away under a publish.

What other extension modules use of this one is declared in src/goanna/core/_compiled.pxd.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF

include "build.pxi"

import contextvars
import sys
import threading
import weakref

from goanna.core.base import EXHAUSTED, MISSING, Skip, nothing, uncopied
from goanna.core.deferred import ran
from goanna.core.fields import check_conditions, check_slotted, own_event, parameters, signature, takes_its_own
from goanna.core.marks import mark, marked, marks, open_blocks, unmark
from goanna.core.recovery import Recovery

__all__ = [
    "BUCKETS",
    "REASONS",
    "Account",
    "Call",
    "Channel",
    "Filter",
    "Inlet",
    "Maker",
    "Ring",
    "Table",
    "close_block",
    "enter_report",
    "in_block",
    "in_report",
    "leave_report",
    "open_block",
    "reader",
    "sampled",
]

include "native.pxi"
include "threads.pxi"

include "reporting.pxi"
include "maker.pxi"
include "account.pxi"
include "filter.pxi"
include "table.pxi"
include "channel.pxi"
include "ring_slot.pxi"
include "inlet.pxi"
include "ring.pxi"
include "ring_push.pxi"
include "ring_drain.pxi"
include "ring_state.pxi"

BUCKETS = GOANNA_BUCKETS

goanna_prepare_readers()
goanna_watch_forks()
# Cython has no name for the place of a field in an object's struct, so it is measured on what is an object at any rate.
goanna_allow_vectorcall(Maker, <char*>&(<Maker><PyObject*>Maker).vectorcall - <char*><PyObject*>Maker)
goanna_allow_vectorcall(Channel, <char*>&(<Channel><PyObject*>Channel).vectorcall - <char*><PyObject*>Channel)
goanna_allow_vectorcall(Filter, <char*>&(<Filter><PyObject*>Filter).vectorcall - <char*><PyObject*>Filter)
goanna_allow_vectorcall(Inlet, <char*>&(<Inlet><PyObject*>Inlet).vectorcall - <char*><PyObject*>Inlet)
goanna_is_leaf(Inlet)
goanna_set_ran(ran)
# The half must not show in the name of a type or function.
goanna_rename(Account, "goanna.core.Account")
goanna_rename(Call, "goanna.core.Call")
goanna_rename(Channel, "goanna.core.Channel")
goanna_rename(Filter, "goanna.core.Filter")
goanna_rename(Inlet, "goanna.core.Inlet")
goanna_rename(Maker, "goanna.core.Maker")
goanna_rename(Ring, "goanna.core.Ring")
goanna_rename(Table, "goanna.core.Table")
for _public in (close_block, enter_report, in_block, in_report, leave_report, open_block, reader, sampled):
    _public.__module__ = "goanna.core"
