/* What several threads may change at once. With a GIL all of this is an ordinary assignment or nothing at all, because no
   other thread runs in between; without one it is an atomic operation, or a lock under which nothing runs that could run
   other code: no object is made or let go of. */
#ifndef GOANNA_THREADS_H
#define GOANNA_THREADS_H

#include <Python.h>
#include <string.h>

#ifdef Py_GIL_DISABLED

#define GOANNA_NO_GIL 1

#ifdef _MSC_VER
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#include <sched.h>
#endif

/* The lock of a few numbers. Whoever waits for it goes on asking. A PyMutex is handed to a thread that has waited for long,
   and if the process is forked before that thread has gone on, nobody gives it back in the child. Whoever holds this one
   comes to no point at which the interpreter stops threads, so nobody holds it when CPython forks. */
typedef struct {
    long held;
} goanna_spinlock;

static inline int goanna_is_taken(goanna_spinlock *lock)
{
#ifdef _MSC_VER
    return _InterlockedExchange((volatile long *)&lock->held, 1) != 0;
#else
    return __atomic_exchange_n(&lock->held, 1, __ATOMIC_SEQ_CST) != 0;
#endif
}

static inline void goanna_enter(goanna_spinlock *lock)
{
    unsigned int asked = 0;
    while (goanna_is_taken(lock)) {
        if (++asked > 16) { /* its holder may have been put aside by the system, for the sake of this thread */
#ifdef _MSC_VER
            SwitchToThread();
#else
            sched_yield();
#endif
        }
    }
}

static inline void goanna_leave(goanna_spinlock *lock)
{
#ifdef _MSC_VER
    _InterlockedExchange((volatile long *)&lock->held, 0);
#else
    __atomic_store_n(&lock->held, 0, __ATOMIC_SEQ_CST);
#endif
}

typedef PyMutex goanna_lock;

static inline void goanna_acquire(goanna_lock *lock)
{
    PyMutex_Lock(lock);
}

static inline void goanna_release(goanna_lock *lock)
{
    PyMutex_Unlock(lock);
}

/* In the child of a fork: whoever held it is not in this process. */
static inline void goanna_renew(goanna_lock *lock)
{
    memset(lock, 0, sizeof(*lock));
}

/* Add and return what was there before. Sequentially consistent, like all here: a publisher counts and then looks whether
   the table is retired, and who retires it says so and then looks at the count, so that one of the two sees the other. */
static inline Py_ssize_t goanna_add(Py_ssize_t *count, Py_ssize_t amount)
{
#ifdef _MSC_VER
    return (Py_ssize_t)_InterlockedExchangeAdd64((volatile __int64 *)count, (__int64)amount);
#else
    return __atomic_fetch_add(count, amount, __ATOMIC_SEQ_CST);
#endif
}

static inline Py_ssize_t goanna_get(Py_ssize_t *count)
{
#ifdef _MSC_VER
    return goanna_add(count, 0);
#else
    return __atomic_load_n(count, __ATOMIC_SEQ_CST);
#endif
}

static inline void goanna_set(Py_ssize_t *count, Py_ssize_t value)
{
#ifdef _MSC_VER
    _InterlockedExchange64((volatile __int64 *)count, (__int64)value);
#else
    __atomic_store_n(count, value, __ATOMIC_SEQ_CST);
#endif
}

/* Set it and return whether it was clear. */
static inline int goanna_claim(Py_ssize_t *flag)
{
#ifdef _MSC_VER
    return _InterlockedExchange64((volatile __int64 *)flag, 1) == 0;
#else
    return __atomic_exchange_n(flag, 1, __ATOMIC_SEQ_CST) == 0;
#endif
}

/* Whether it was this call that moved the number from one value to another. */
static inline int goanna_move(Py_ssize_t *number, Py_ssize_t from, Py_ssize_t to)
{
#ifdef _MSC_VER
    return _InterlockedCompareExchange64((volatile __int64 *)number, (__int64)to, (__int64)from) == (__int64)from;
#else
    return __atomic_compare_exchange_n(number, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
#endif
}

/* What is kept where others may replace it is the one item of a list: the interpreter's list knows how to take a reference
   to an item that another thread is about to replace, without a lock, and offers that to nobody else. */
static inline PyObject *goanna_kept(PyObject *keeper)
{
    if (!PyList_CheckExact(keeper)) {
        return Py_NewRef(Py_None); /* the collector is taking its owner apart */
    }
    return PyList_GetItemRef(keeper, 0);
}

/* Replace it; return what was there. */
static inline PyObject *goanna_keep(PyObject *keeper, goanna_lock *lock, PyObject *value)
{
    PyMutex_Lock(lock);
    PyObject *before = PyList_GetItemRef(keeper, 0);
    if (before != NULL && PyList_SetItem(keeper, 0, Py_NewRef(value)) < 0) {
        Py_CLEAR(before);
    }
    PyMutex_Unlock(lock);
    return before;
}

#else

#define GOANNA_NO_GIL 0

typedef struct {
    char nothing;
} goanna_spinlock;

static inline void goanna_enter(goanna_spinlock *lock)
{
    (void)lock;
}

static inline void goanna_leave(goanna_spinlock *lock)
{
    (void)lock;
}

typedef struct {
    char nothing;
} goanna_lock;

static inline void goanna_acquire(goanna_lock *lock)
{
    (void)lock;
}

static inline void goanna_release(goanna_lock *lock)
{
    (void)lock;
}

static inline void goanna_renew(goanna_lock *lock)
{
    (void)lock;
}

static inline Py_ssize_t goanna_add(Py_ssize_t *count, Py_ssize_t amount)
{
    Py_ssize_t before = *count;
    *count = before + amount;
    return before;
}

static inline Py_ssize_t goanna_get(Py_ssize_t *count)
{
    return *count;
}

static inline void goanna_set(Py_ssize_t *count, Py_ssize_t value)
{
    *count = value;
}

static inline int goanna_claim(Py_ssize_t *flag)
{
    int clear = *flag == 0;
    *flag = 1;
    return clear;
}

static inline int goanna_move(Py_ssize_t *number, Py_ssize_t from, Py_ssize_t to)
{
    if (*number != from) {
        return 0;
    }
    *number = to;
    return 1;
}

static inline PyObject *goanna_kept(PyObject *keeper)
{
    Py_INCREF(keeper);
    return keeper;
}

static inline PyObject *goanna_keep(PyObject *keeper, goanna_lock *lock, PyObject *value)
{
    (void)lock;
    (void)value;
    Py_INCREF(keeper);
    return keeper;
}

#endif

#endif
