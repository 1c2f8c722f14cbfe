/* The few things that the core does below the level of Cython: slots by offset, calls by vectorcall, and what has to be
   told to a type object. Everything here is inline and knows nothing of events, listeners or policies. */
#ifndef GOANNA_NATIVE_H
#define GOANNA_NATIVE_H

#include <Python.h>
#include <stddef.h>
#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_READONLY READONLY
#endif

/* One listener's method. The instance is NULL where the function takes the event alone. Both are borrowed. */
typedef struct {
    PyObject *function;
    PyObject *instance;
    int guarded;
} goanna_call;

/* A type whose calls never come back to where they were made from but through Python. */
static PyTypeObject *goanna_leaf = NULL;

/* A call of what may be written in C, and so call back without ever making a frame: the interpreter counts frames, and such
   calls only where they say so. */
static inline PyObject *goanna_call_guarded(PyObject *function, PyObject *const *args, size_t nargsf)
{
    if (Py_EnterRecursiveCall(" while calling a listener")) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(function, args, nargsf, NULL);
    Py_LeaveRecursiveCall();
    return result;
}

static inline PyObject *goanna_invoke(goanna_call *call, PyObject *event)
{
    /* The slot before the arguments is the callee's to use, see PY_VECTORCALL_ARGUMENTS_OFFSET. */
    PyObject *stack[3] = {NULL, call->instance, event};
    if (call->instance != NULL) {
        /* Always a Python function, whose result needs none of the checks that PyObject_Vectorcall makes. Read at each
           call, because the interpreter may change it. */
        return ((PyFunctionObject *)call->function)->vectorcall(
            call->function, stack + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    if (call->guarded) {
        return goanna_call_guarded(call->function, stack + 2, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET);
    }
    return PyObject_Vectorcall(call->function, stack + 2, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* Note how to call a method, which must outlive the note. A bound method of a Python function is taken apart: called
   with both, it saves the interpreter a step. */
static inline void goanna_set_call(goanna_call *call, PyObject *method)
{
    if (PyMethod_Check(method) && PyFunction_Check(PyMethod_GET_FUNCTION(method))) {
        call->function = PyMethod_GET_FUNCTION(method);
        call->instance = PyMethod_GET_SELF(method);
    }
    else {
        call->function = method;
        call->instance = NULL;
    }
    call->guarded = !PyFunction_Check(call->function) && Py_TYPE(call->function) != goanna_leaf;
}

/* Say that calls of instances of this type need no guard. */
static inline void goanna_is_leaf(PyObject *cls)
{
    goanna_leaf = (PyTypeObject *)cls;
}

/* The offset of the slot that a member descriptor reads, 0 if it is no writable object slot of this class. */
static inline Py_ssize_t goanna_slot_offset(PyObject *cls, PyObject *descriptor)
{
    if (!PyObject_TypeCheck(descriptor, &PyMemberDescr_Type)) {
        return 0;
    }
    PyMemberDescrObject *member = (PyMemberDescrObject *)descriptor;
    PyMemberDef *definition = member->d_member;
    if (!PyType_IsSubtype((PyTypeObject *)cls, PyDescr_TYPE(descriptor)) || definition->type != Py_T_OBJECT_EX
        || definition->flags & Py_READONLY) {
        return 0;
    }
    return definition->offset;
}

/* A member descriptor keeps a pointer to its definition and does not own it. Definitions are therefore never freed but
   kept by name, offset and docstring, so that defining the same class again and again takes no more memory. */
static PyObject *goanna_definitions = NULL;

/* Before the first of them. */
static int goanna_prepare_readers(void)
{
    goanna_definitions = PyDict_New();
    return goanna_definitions == NULL ? -1 : 0;
}

static PyObject *goanna_new_reader(PyObject *cls, PyObject *name, Py_ssize_t offset, PyObject *doc)
{
    PyObject *key = Py_BuildValue("(OnO)", name, offset, doc);
    if (key == NULL) {
        return NULL;
    }
    /* Both texts live as long as their strings, which the key holds once it is in. */
    const char *text = PyUnicode_AsUTF8(name);
    const char *explained = doc == Py_None ? NULL : PyUnicode_AsUTF8(doc);
    PyMemberDef *definition = NULL;
    if (text != NULL && (explained != NULL || doc == Py_None)) {
        definition = PyMem_Calloc(1, sizeof(PyMemberDef));
        if (definition == NULL) {
            PyErr_NoMemory();
        }
    }
    if (definition != NULL) {
        definition->name = text;
        definition->doc = explained;
        definition->type = Py_T_OBJECT_EX;
        definition->offset = offset;
        definition->flags = Py_READONLY;
        /* In one step, because another thread may define the same. */
        PyObject *address = PyLong_FromVoidPtr(definition);
        PyObject *known = address == NULL ? NULL : PyDict_SetDefault(goanna_definitions, key, address);
        if (known != address || known == NULL) {
            PyMem_Free(definition);
            definition = known == NULL ? NULL : (PyMemberDef *)PyLong_AsVoidPtr(known);
        }
        Py_XDECREF(address);
    }
    Py_DECREF(key);
    return definition == NULL ? NULL : PyDescr_NewMember((PyTypeObject *)cls, definition);
}

/* While an object is being made, whoever asks the collector for its objects is not to find it: what is not set yet would be
   used as if it were. */
static inline void goanna_hide(PyObject *value)
{
    PyObject_GC_UnTrack(value);
}

static inline void goanna_show(PyObject *value)
{
    PyObject_GC_Track(value);
}

static inline PyObject *goanna_allocate(PyTypeObject *cls)
{
    return cls->tp_alloc(cls, 0);
}

static inline void goanna_store(PyObject *event, Py_ssize_t offset, PyObject *value)
{
    Py_INCREF(value);
    *(PyObject **)((char *)event + offset) = value;
}

static inline PyObject *goanna_load(PyObject *event, Py_ssize_t offset)
{
    return *(PyObject **)((char *)event + offset);
}

/* The position of a name in a tuple of names, or -1. `guess` is right where keywords come in order, and most other names
   are the same object, because both are interned. */
static inline Py_ssize_t goanna_position(PyObject *names, PyObject *name, Py_ssize_t guess)
{
    Py_ssize_t size = PyTuple_GET_SIZE(names);
    if (guess < size && PyTuple_GET_ITEM(names, guess) == name) {
        return guess;
    }
    for (Py_ssize_t index = 0; index < size; index++) {
        if (PyTuple_GET_ITEM(names, index) == name) {
            return index;
        }
    }
    for (Py_ssize_t index = 0; index < size; index++) {
        if (PyUnicode_Compare(PyTuple_GET_ITEM(names, index), name) == 0) {
            return index;
        }
    }
    return -1;
}

/* Whether the value's class has the metaclass of a class, as all its instances have. */
static inline int goanna_is_of_kind(PyObject *value, PyObject *cls)
{
    PyTypeObject *meta = Py_TYPE(Py_TYPE(value));
    return meta != &PyType_Type && PyType_IsSubtype(meta, Py_TYPE(cls));
}

static inline int goanna_is_text(PyObject *value)
{
    return PyUnicode_CheckExact(value);
}

/* Whether it is a text short enough to be remembered: what is noted of texts is bounded by their number, and so in bytes. */
static inline int goanna_is_notable(PyObject *value)
{
    return PyUnicode_CheckExact(value) && PyUnicode_GET_LENGTH(value) <= 100;
}

static inline int goanna_in_set(PyObject *container, PyObject *value)
{
    return PySet_Contains(container, value);
}

/* An attribute of the event, or `missing` where it has none. */
static inline PyObject *goanna_attribute(PyObject *event, PyObject *name, PyObject *missing)
{
    PyObject *value;
#if PY_VERSION_HEX >= 0x030D0000
    if (PyObject_GetOptionalAttr(event, name, &value) == 0) {
        return Py_NewRef(missing);
    }
#else
    value = PyObject_GetAttr(event, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return Py_NewRef(missing);
    }
#endif
    return value;
}

/* Returns its argument, or raises where that is a coroutine or the like: `ran` of goanna.core.deferred. */
static PyObject *goanna_ran = NULL;

static inline int goanna_set_ran(PyObject *function)
{
    goanna_ran = Py_NewRef(function);
    return 0;
}

/* The result of a call, looked at where it is of a type that can be awaited or iterated over. */
static inline PyObject *goanna_checked(PyObject *result)
{
    if (result == Py_None || result == NULL) {
        return result;
    }
    PyTypeObject *type = Py_TYPE(result);
    if (type->tp_iternext == NULL
        && (type->tp_as_async == NULL || (type->tp_as_async->am_await == NULL && type->tp_as_async->am_anext == NULL))) {
        return result;
    }
    PyObject *same = PyObject_CallOneArg(goanna_ran, result);
    Py_DECREF(result);
    return same;
}

/* The number by which a value is sampled; an exception may be set if it is 0. */
static inline unsigned long long goanna_number(PyObject *value)
{
    if (PyLong_Check(value)) {
        return PyLong_AsUnsignedLongLongMask(value);
    }
    Py_hash_t hash = PyObject_Hash(value);
    return hash == -1 ? 0 : (unsigned long long)(long long)hash;
}

static inline PyObject *goanna_call_one(PyObject *function, PyObject *argument)
{
    PyObject *stack[2] = {NULL, argument};
    return goanna_checked(goanna_call_guarded(function, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET));
}

static inline PyObject *goanna_call_none(PyObject *function)
{
    return goanna_call_guarded(function, NULL, 0);
}

/* type.__call__, whatever the metaclass and the vectorcall of the class say. */
static inline PyObject *goanna_call_type(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    return PyType_Type.tp_call(cls, args, kwargs);
}

/* Cython has no vectorcall for __call__ of its types yet. The type is final, so nobody inherits the flag. */
static inline void goanna_allow_vectorcall(PyObject *cls, Py_ssize_t offset)
{
    PyTypeObject *type = (PyTypeObject *)cls;
    type->tp_vectorcall_offset = offset;
    type->tp_call = PyVectorcall_Call;
    type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    PyType_Modified(type);
}

/* The backend must not show in __module__, so both cores' types say "goanna". */
static inline void goanna_rename(PyObject *cls, const char *name)
{
    ((PyTypeObject *)cls)->tp_name = name;
}

/* Let calls of a class go to `function`, if calling it would run type.__call__ anyway. */
static inline void goanna_take_over(PyObject *cls, vectorcallfunc function)
{
    PyTypeObject *meta = Py_TYPE(cls);
    if (meta == &PyType_Type || meta->tp_call != PyType_Type.tp_call) {
        return;
    }
    if (!(meta->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL)) {
        meta->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL; /* heap types don't inherit it before 3.12 */
    }
    ((PyTypeObject *)cls)->tp_vectorcall = function;
}

/* What the metaclass makes of a call, which may have got a __call__ of its own since goanna_take_over(). */
static inline PyObject *goanna_call_meta(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    return Py_TYPE(cls)->tp_call(cls, args, kwargs);
}

/* The class's own maker, or NULL, also where the metaclass has a __call__; borrowed where there is a GIL, see
   goanna_let_go(). */
static inline PyObject *goanna_find_maker(PyObject *cls, PyObject *key)
{
    if (Py_TYPE(cls)->tp_call != PyType_Type.tp_call) {
        return NULL;
    }
#ifdef Py_GIL_DISABLED
    PyObject *found;
    if (PyDict_GetItemRef(((PyTypeObject *)cls)->tp_dict, key, &found) < 0) {
        PyErr_Clear(); /* a class whose namespace can't be searched is called in the ordinary way */
    }
    return found;
#else
    return PyDict_GetItemWithError(((PyTypeObject *)cls)->tp_dict, key);
#endif
}

/* A reference that is borrowed where there is a GIL and owned where there is none. */
static inline void goanna_let_go(PyObject *value)
{
#ifdef Py_GIL_DISABLED
    Py_XDECREF(value);
#else
    (void)value;
#endif
}

/* What a slot holds, as such a reference; NULL where there is nothing. */
static inline PyObject *goanna_look(PyObject *owner, Py_ssize_t offset)
{
    PyObject *value;
#ifdef Py_GIL_DISABLED
    Py_BEGIN_CRITICAL_SECTION(owner); /* under which the interpreter writes slots */
    value = Py_XNewRef(goanna_load(owner, offset));
    Py_END_CRITICAL_SECTION();
#else
    value = goanna_load(owner, offset);
#endif
    return value;
}

#endif
