# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False, freethreading_compatible=True
"""Replacements for the ``publish_*`` methods of PyMongo, compiled: the same as those in ``_pure``.

Read the pure ones first; here is only how. A publish method takes its arguments from the stack, checks by version numbers
that neither the module's namespace nor the event class has been touched since it looked last, writes the slots of a new
event at their offsets, and calls the listeners' methods by name. Everything unusual is left to the original, before
anything has been done that could be seen.
"""

cimport cython
from cpython.datetime cimport import_datetime
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from goanna.core._compiled cimport EarlyFilter, count_filtered, filters_made

include "build.pxi"

import inspect
import sys
from types import MethodType

from goanna.core._compiled import Filter
from goanna.monitoring._resolve import resolved_methods

__all__ = ["publish_method", "refresh"]

include "native.pxi"
include "threads.pxi"

cdef extern from "observe.h":
    PyObject* goanna_call_original(PyObject* original, PyObject* const* args, size_t nargsf, PyObject* names) noexcept
    object goanna_own(PyObject* result)
    PyObject* goanna_call_method(PyObject* name, PyObject* target, PyObject* event) noexcept
    unsigned long long goanna_namespace_version(object namespace) noexcept
    unsigned long long goanna_type_version(object cls) noexcept
    PyObject* goanna_first_key(PyObject* mapping) noexcept
    PyObject* goanna_borrow(object mapping, PyObject* key) noexcept
    bint goanna_is_plain_set(object value) noexcept
    bint goanna_micros(PyObject* duration, long long* micros) noexcept
    bint goanna_is_list(object value) noexcept
    bint goanna_same_items(object values, tuple items) noexcept
    Py_ssize_t goanna_list_size(object values) noexcept
    PyObject* goanna_list_item(object values, Py_ssize_t index) noexcept
    object goanna_first_key_held(PyObject* mapping)
    unsigned long long goanna_noted(unsigned long long* number) noexcept
    void goanna_note(unsigned long long* number, unsigned long long value) noexcept
    void goanna_mark_method(object cls) noexcept
    bint goanna_is_true(PyObject* value) except -1

import_datetime()

cdef enum:
    MOST = 16

cdef enum Kind:
    PLAIN
    STARTED
    SUCCEEDED
    FAILED

cdef struct Store:
    Py_ssize_t offset
    Py_ssize_t parameter
    PyObject* constant

COMPUTED = {None: 0, "command_name": -2, "micros": -3}

cdef Py_ssize_t epoch = 0

# For every short command name met the pair of itself and its lower-case form, None for the handshakes; kept small by starting
# anew: 1,000 names of 100 characters are some 400 KB, which no command can make more.
cdef dict lowered = {}

cdef object HANDSHAKES = ("hello", "ismaster")


def refresh():
    """Have the rows of pre-resolved methods made anew at the next publish."""
    goanna_add(&epoch, 1)


def publish_method(plan, names, *, resolve):
    """Return a function that does what ``plan`` says.

    Args:
        plan: what the original does.
        names: the namespace of the module, in which the event class and ``_handle_exception`` are looked up each time.
        resolve: "publish" to look listeners' methods up at each publish, as the original does; "registration" to look
            them up when the client's list of listeners has changed or after :func:`refresh`.
    """
    return PublishMethod(plan, names, resolve == "registration")


include "early_filter.pxi"
include "resolved.pxi"
include "publish_method.pxi"


cdef object call_publish_method(PublishMethod self, PyObject* const* args, size_t nargsf, PyObject* names):
    cdef PyObject* values[MOST]
    cdef Py_ssize_t nargs = PyVectorcall_NARGS(nargsf)
    cdef Py_ssize_t index
    cdef long long micros
    cdef PyObject* value
    cdef object name = None, reply = None, computed = None
    cdef ResolvedMethods ready = None
    cdef EarlyFilters early
    if nargs < 1 or not self.parse(values, args + 1, nargs - 1, names) or not self.untouched():
        return goanna_own(goanna_call_original(<PyObject*>self.original, args, nargsf, names))
    if self.at_registration:
        ready = self.find_resolved(<object>args[0])
        if ready.size == 0:
            return None
    if self.kind != PLAIN:
        if self.kind == STARTED:
            if GOANNA_NO_GIL:
                name = goanna_first_key_held(values[self.command])
                value = <PyObject*>name
            else:
                value = goanna_first_key(values[self.command])
        else:
            value = values[self.command_name]
        if value == NULL:
            return goanna_own(goanna_call_original(<PyObject*>self.original, args, nargsf, names))
        name = <object>value  # held: the next line may run the collector, and so other code that changes the command
        if not goanna_is_text(value) or self.kind != FAILED and not self.harmless(value):
            return goanna_own(goanna_call_original(<PyObject*>self.original, args, nargsf, names))
        if self.kind != STARTED:
            if not goanna_micros(values[self.duration], &micros):
                return goanna_own(goanna_call_original(<PyObject*>self.original, args, nargsf, names))
            computed = micros
        if values[self.op_id] == <PyObject*>None:
            values[self.op_id] = values[self.request_id]
        if self.speculative_hello >= 0 and goanna_is_true(values[self.speculative_hello]):
            reply = {}
            values[self.reply] = <PyObject*>reply
    # The original reads the list once, and what is no list may tell how often it was asked; so it is read here for both
    # uses, and only a list, which nobody notices being looked at, is looked at before delivery.
    listeners = getattr(<object>args[0], self.listeners) if ready is None or goanna_get(&filters_made) else None
    if goanna_get(&filters_made) and goanna_is_list(listeners):
        early = self.find_early(<object>args[0], <list>listeners)
        if early.filters is not None and early.rejects(
            <PyObject*>name, NULL if self.database < 0 else values[self.database]
        ):
            return None
    event = goanna_allocate(<PyTypeObject*>self.event_type)
    for index in range(self.stored):
        if self.stores[index].parameter >= 0:
            value = values[self.stores[index].parameter]
        elif self.stores[index].parameter == -1:
            value = self.stores[index].constant
        elif self.stores[index].parameter == -2:
            value = <PyObject*>name
        else:
            value = <PyObject*>computed
        goanna_store(<PyObject*>event, self.stores[index].offset, value)
    if ready is not None:
        self.deliver_resolved(ready, event)
    else:
        self.deliver(listeners, event)
    return None


# As in the core: the place of the field, measured on what is an object at any rate.
goanna_allow_vectorcall(
    PublishMethod, <char*>&(<PublishMethod><PyObject*>PublishMethod).vectorcall - <char*><PyObject*>PublishMethod
)
goanna_mark_method(PublishMethod)
