/* What it takes to drive coroutines from C: calls with keywords, one step without an exception at the end, and a type
   that the interpreter may step the same way. */
#ifndef GOANNA_DRIVE_H
#define GOANNA_DRIVE_H

#include <Python.h>
#include "native.h"

/* What does a step: 0 and the result, 1 and what is yielded, or -1 and an exception; and what goes before and after it.
   They are called from here because a try statement in Cython saves and restores the exception that is being handled,
   which took some 10 ns of each step. */
typedef int (*goanna_before)(PyObject *self);
typedef int (*goanna_advance)(PyObject *self, PyObject *value, PyObject **result);
typedef void (*goanna_after)(PyObject *self, int status);

static struct {
    goanna_before before;
    goanna_advance advance;
    goanna_after after;
} goanna_driver;

static int goanna_drive(PyObject *self, PyObject *value, PyObject **result)
{
    *result = NULL;
    if (goanna_driver.before(self) < 0) {
        return -1;
    }
    int status = goanna_driver.advance(self, value, result);
    goanna_driver.after(self, status);
    return status;
}

static PySendResult goanna_am_send(PyObject *self, PyObject *value, PyObject **result)
{
    switch (goanna_drive(self, value, result)) {
    case 0:
        return PYGEN_RETURN;
    case 1:
        return PYGEN_NEXT;
    default:
        return PYGEN_ERROR;
    }
}

/* Cython fills in __await__, and not yet am_send, without which the end of each step would be a StopIteration. The types
   share the functions. */
static inline void goanna_allow_send(PyObject *cls, goanna_before before, goanna_advance advance, goanna_after after)
{
    goanna_driver.before = before;
    goanna_driver.advance = advance;
    goanna_driver.after = after;
    ((PyTypeObject *)cls)->tp_as_async->am_send = goanna_am_send;
    PyType_Modified((PyTypeObject *)cls);
}

static inline int goanna_step(PyObject *coroutine, PyObject *value, PyObject **result)
{
    *result = NULL;
    switch (PyIter_Send(coroutine, value, result)) {
    case PYGEN_RETURN:
        return 0;
    case PYGEN_NEXT:
        return 1;
    default:
        return -1;
    }
}

/* Whether it is a coroutine that nobody else can be awaiting, because nobody else knows it. */
static inline int goanna_is_fresh(PyObject *value)
{
    return PyCoro_CheckExact(value) && Py_REFCNT(value) == 1;
}

static inline int goanna_can_await(PyObject *value)
{
    return PyCoro_CheckExact(value)
           || (Py_TYPE(value)->tp_as_async != NULL && Py_TYPE(value)->tp_as_async->am_await != NULL);
}

/* Calls what was resolved with the event and keywords. stack[0] and stack[1] are for the callee and the instance,
   the event is stack[2] and the values of the keywords follow. */
static inline PyObject *goanna_invoke_with(goanna_call *call, PyObject **stack, PyObject *names)
{
    if (call->instance != NULL) {
        stack[1] = call->instance;
        return ((PyFunctionObject *)call->function)->vectorcall(
            call->function, stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    }
    return PyObject_Vectorcall(call->function, stack + 2, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
}

/* The same with a method that is looked up now; stack[1] is the object. */
static inline PyObject *goanna_call_method_with(PyObject *name, PyObject **stack, PyObject *names)
{
    return PyObject_VectorcallMethod(name, stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
}

/* Whether it hashes and compares by identity, as objects do that don't say otherwise. */
static inline int goanna_by_identity(PyObject *value)
{
    return Py_TYPE(value)->tp_hash == PyBaseObject_Type.tp_hash
           && Py_TYPE(value)->tp_richcompare == PyBaseObject_Type.tp_richcompare;
}

/* What the dict in a slot holds for a key, as a new reference; NULL, perhaps with an exception, where it isn't as simple
   as that. */
static inline PyObject *goanna_look_up_in_slot(PyObject *owner, Py_ssize_t offset, PyObject *key)
{
    PyObject *mapping = goanna_look(owner, offset);
    PyObject *found = NULL;
    if (mapping != NULL && PyDict_CheckExact(mapping)) {
        Py_INCREF(mapping); /* comparing keys may replace it in its slot */
#ifdef Py_GIL_DISABLED
        (void)PyDict_GetItemRef(mapping, key, &found); /* NULL where it raised */
#else
        found = PyDict_GetItemWithError(mapping, key);
        Py_XINCREF(found);
#endif
        Py_DECREF(mapping);
    }
    goanna_let_go(mapping);
    return found;
}

/* object.__new__(cls). The type's allocator alone would leave out what makes attributes fast. */
static inline PyObject *goanna_plain(PyObject *cls, PyObject *nothing)
{
    return PyBaseObject_Type.tp_new((PyTypeObject *)cls, nothing, NULL);
}

/* A tuple that can be filled while others may see it, as whoever asks the collector for its objects does: what is not there
   yet is `absent`. That is an object which the collector follows, or it would take the tuple for one that it need not. */
static inline PyObject *goanna_places(Py_ssize_t size, PyObject *absent)
{
    PyObject *values = PyTuple_New(size);
    if (values != NULL) {
        for (Py_ssize_t index = 0; index < size; index++) {
            Py_INCREF(absent);
            PyTuple_SET_ITEM(values, index, absent);
        }
    }
    return values;
}

/* Each place is filled once; what was there is held by others. */
static inline void goanna_put(PyObject *values, Py_ssize_t index, PyObject *value)
{
    PyObject *absent = PyTuple_GET_ITEM(values, index);
    Py_INCREF(value);
    PyTuple_SET_ITEM(values, index, value);
    Py_DECREF(absent);
}

/* Borrowed. */
static inline PyObject *goanna_peek(PyObject *values, Py_ssize_t index)
{
    return PyTuple_GET_ITEM(values, index);
}

#endif
