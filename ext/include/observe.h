/* What the publishers need to see of the interpreter: whether a namespace or a class has changed, what is in a list, a
   set or a duration, each without a call that user code could be behind. */
#ifndef GOANNA_OBSERVE_H
#define GOANNA_OBSERVE_H

#include <Python.h>
#include <datetime.h>

static inline PyObject *goanna_call_original(PyObject *original, PyObject *const *args, size_t nargsf, PyObject *names)
{
    /* The caller's own slot before the arguments is not ours to lend, hence no offset flag. */
    return PyObject_Vectorcall(original, args, PyVectorcall_NARGS(nargsf), names);
}

static inline PyObject *goanna_own(PyObject *result)
{
    return result;
}

static inline PyObject *goanna_call_method(PyObject *name, PyObject *target, PyObject *event)
{
    PyObject *stack[3] = {NULL, target, event};
    if (Py_EnterRecursiveCall(" while calling a listener")) {
        return NULL;
    }
    PyObject *result = PyObject_VectorcallMethod(name, stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_LeaveRecursiveCall();
    return result;
}

/* A number that changes whenever the dict does, or 0 where the interpreter keeps none. */
static inline unsigned long long goanna_namespace_version(PyObject *namespace)
{
#if PY_VERSION_HEX < 0x030C0000
    return ((PyDictObject *)namespace)->ma_version_tag;
#else
    (void)namespace;
    return 0;
#endif
}

/* A number that changes whenever the class or a base of it does, or 0 if there is none now. From 3.13 on the number itself
   is 0 then, and the flag is never set. */
static inline unsigned long long goanna_type_version(PyObject *cls)
{
    PyTypeObject *type = (PyTypeObject *)cls;
#if PY_VERSION_HEX < 0x030D0000
    return type->tp_flags & Py_TPFLAGS_VALID_VERSION_TAG ? type->tp_version_tag : 0;
#else
    return type->tp_version_tag;
#endif
}

/* The first key of an ordinary dict, borrowed; NULL for anything else and for an empty one. */
static inline PyObject *goanna_first_key(PyObject *mapping)
{
    Py_ssize_t position = 0;
    PyObject *key = NULL;
    if (PyDict_CheckExact(mapping) && PyDict_Next(mapping, &position, &key, NULL)) {
        return key;
    }
    return NULL;
}

/* The same as a new reference, None for none; a mapping that several threads have may change meanwhile. */
static inline PyObject *goanna_first_key_held(PyObject *mapping)
{
    PyObject *key = NULL;
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(mapping);
    key = Py_XNewRef(goanna_first_key(mapping));
    Py_END_CRITICAL_SECTION();
#else
    key = goanna_first_key(mapping);
    Py_XINCREF(key);
#endif
    if (key == NULL) {
        key = Py_None;
        Py_INCREF(key);
    }
    return key;
}

static inline PyObject *goanna_borrow(PyObject *mapping, PyObject *key)
{
    return PyDict_GetItemWithError(mapping, key);
}

static inline int goanna_is_plain_set(PyObject *value)
{
    return PyAnySet_CheckExact(value);
}

/* The microseconds of a timedelta the way that PyMongo computes them, in floating point and cut off; 0 for anything
   else, and for durations of centuries, where the sum would not be exact in a double. */
static inline int goanna_micros(PyObject *duration, long long *micros)
{
    if (!PyDelta_CheckExact(duration)) {
        return 0;
    }
    long long days = PyDateTime_DELTA_GET_DAYS(duration);
    if (days > 100000 || days < -100000) {
        return 0;
    }
    long long total = (days * 86400 + PyDateTime_DELTA_GET_SECONDS(duration)) * 1000000
                      + PyDateTime_DELTA_GET_MICROSECONDS(duration);
    double seconds = (double)total / 1e6;
    *micros = (long long)(seconds * 1e6);
    return 1;
}

static inline int goanna_is_list(PyObject *value)
{
    return PyList_CheckExact(value);
}

static inline Py_ssize_t goanna_list_size(PyObject *values)
{
    return PyList_GET_SIZE(values);
}

/* A new reference to an item; NULL without an exception where the list ends before it, as it may since somebody looked. */
static inline PyObject *goanna_list_item(PyObject *values, Py_ssize_t index)
{
#ifdef Py_GIL_DISABLED
    PyObject *item = PyList_GetItemRef(values, index);
    if (item == NULL) {
        PyErr_Clear();
    }
#else
    PyObject *item = PyList_GET_ITEM(values, index);
    Py_INCREF(item);
#endif
    return item;
}

static inline int goanna_compare_items(PyObject *values, PyObject *items)
{
    Py_ssize_t size = PyTuple_GET_SIZE(items);
    if (PyList_GET_SIZE(values) != size) {
        return 0;
    }
    for (Py_ssize_t index = 0; index < size; index++) {
        if (PyList_GET_ITEM(values, index) != PyTuple_GET_ITEM(items, index)) {
            return 0;
        }
    }
    return 1;
}

/* Whether a list holds the very objects that a tuple does. */
static inline int goanna_same_items(PyObject *values, PyObject *items)
{
    int same;
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(values);
    same = goanna_compare_items(values, items);
    Py_END_CRITICAL_SECTION();
#else
    same = goanna_compare_items(values, items);
#endif
    return same;
}

/* Numbers that threads note for each other. */
static inline unsigned long long goanna_noted(unsigned long long *number)
{
#if defined(Py_GIL_DISABLED) && !defined(_MSC_VER)
    return __atomic_load_n(number, __ATOMIC_ACQUIRE);
#else
    return *number;
#endif
}

static inline void goanna_note(unsigned long long *number, unsigned long long value)
{
#if defined(Py_GIL_DISABLED) && !defined(_MSC_VER)
    __atomic_store_n(number, value, __ATOMIC_RELEASE);
#else
    *number = value;
#endif
}

static inline int goanna_is_true(PyObject *value)
{
    return PyObject_IsTrue(value);
}

/* Lets `instance.publish(...)` call without making a bound method first. */
static inline void goanna_mark_method(PyObject *cls)
{
    ((PyTypeObject *)cls)->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
    PyType_Modified((PyTypeObject *)cls);
}

#endif
