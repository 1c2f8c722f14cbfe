# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False, freethreading_compatible=True
"""The compiled core: the same names, signatures, texts and behaviour as ``goanna.core._pure.channel``, which explains them.

Read the pure core first. What is different here is how, not what:

- an event is allocated by its type and its slots are written at their offsets, ``__init__`` does not run;
- a bound method is kept as function and instance, and called with both, which saves the interpreter a step;
- Maker, Channel and event classes are called through the vectorcall protocol, without a tuple or dict of arguments;
- whatever is irregular (arguments that don't fit, calls that raise) is left to the same Python code as in the pure core.

The C arrays in a Table hold borrowed references to what its tuple of calls owns. Table, Call and Maker can't change
once made, so like tuples they need no tp_clear, and nothing borrowed can go away under a publish.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_New
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject

from goanna.core.base import MISSING, Skip
from goanna.core.fields import parameters, signature
from goanna.core.recovery import Setback

__all__ = ["Account", "Call", "Channel", "Maker", "Sieve", "Table", "reader", "sampled"]

include "native.pxi"
include "threads.pxi"

cdef extern from "native.h":
    Py_ssize_t goanna_sieve_vectorcall "offsetof(struct __pyx_obj_6goanna_4core_9_compiled_Sieve, vectorcall)"
    Py_ssize_t goanna_maker_vectorcall "offsetof(struct __pyx_obj_6goanna_4core_9_compiled_Maker, vectorcall)"
    Py_ssize_t goanna_channel_vectorcall "offsetof(struct __pyx_obj_6goanna_4core_9_compiled_Channel, vectorcall)"


include "maker.pxi"
include "account.pxi"
include "filter.pxi"
include "table.pxi"
include "fan_out.pxi"
include "channel.pxi"


def reader(cls, slot, name, doc=None):
    """Return a descriptor that reads a slot of ``cls`` as the read-only attribute ``name``.

    The compiled core's reads at the speed of the slot itself. Setting or deleting it raises AttributeError
    ("readonly attribute"). Its docstring is ``doc``.

    Raises:
        TypeError: ``cls`` has no such slot.
    """
    return goanna_new_reader(cls, intern_name(name), goanna_slot_offset(cls, member(cls, slot)), doc)


# What the compiled publishers of drop-ins need of a Sieve, without a call through Python: how many were ever made, and
# counting an event that one of them keeps out.
_sieves = PyCapsule_New(<void*>&sieves_made, "goanna.core._compiled._sieves", NULL)
_filtered = PyCapsule_New(<void*>count_filtered, "goanna.core._compiled._filtered", NULL)
goanna_prepare_readers()
goanna_allow_vectorcall(Maker, goanna_maker_vectorcall)
goanna_allow_vectorcall(Channel, goanna_channel_vectorcall)
goanna_allow_vectorcall(Sieve, goanna_sieve_vectorcall)
# The backend must not show in the name of a type.
goanna_rename(Account, "goanna.core.Account")
goanna_rename(Call, "goanna.core.Call")
goanna_rename(Channel, "goanna.core.Channel")
goanna_rename(Maker, "goanna.core.Maker")
goanna_rename(Sieve, "goanna.core.Sieve")
goanna_rename(Table, "goanna.core.Table")
reader.__module__ = "goanna.core"
sampled.__module__ = "goanna.core"
