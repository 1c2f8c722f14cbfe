/* What the ring asks of the operating system and the processor: clocks that cost little, and its cache. */
#ifndef GOANNA_RING_H
#define GOANNA_RING_H

#include <Python.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

#define GOANNA_BUCKETS 41

/* Nanoseconds of a monotonic clock. */
static inline long long goanna_now(void)
{
#ifdef _WIN32
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return (long long)((double)count.QuadPart * 1e9 / (double)frequency.QuadPart);
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
#endif
}

/* The same clock to within a tick of the kernel (1 to 10 ms), where there is one that is cheaper. */
static inline long long goanna_about_now(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
#else
    return goanna_now();
#endif
}

/* Have a place in memory that will be written soon come into this processor's cache, for it alone. It needn't be valid.
   GCC's own __builtin_prefetch only asks for a shared copy on x86, unless it is told that the processor has this one; all
   that run 64-bit code take it, the oldest as one that does nothing. */
static inline void goanna_about_to_write(void *place)
{
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    __asm__ volatile("prefetchw (%0)" : : "r"(place));
#elif defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(place, 1);
#else
    (void)place;
#endif
}

/* The number of bits of a duration, at most the last bucket. */
static inline int goanna_bucket(long long nanoseconds)
{
    int bits = 0;
    while (nanoseconds > 0 && bits < GOANNA_BUCKETS - 1) {
        nanoseconds >>= 1;
        bits++;
    }
    return bits;
}

/* A number of this thread, which no other thread that lives has. */
static inline size_t goanna_thread(void)
{
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__) && defined(__linux__) && defined(__LP64__)
    size_t here;
    __asm__("movq %%fs:0, %0" : "=r"(here)); /* the thread's own block says where it is */
    return here;
#else
    return (size_t)PyThread_get_thread_ident();
#endif
}

/* Whether a context variable whose default is None has another value here. */
static inline int goanna_has_value(PyObject *variable)
{
    PyObject *value;
    if (PyContextVar_Get(variable, NULL, &value) < 0) {
        return -1;
    }
    int has = value != Py_None;
    Py_DECREF(value);
    return has;
}

static inline PyObject *goanna_call_event(PyObject *method, PyObject *event)
{
    PyObject *stack[2] = {NULL, event};
    return PyObject_Vectorcall(method, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* context.run(method, event) */
static inline PyObject *goanna_call_within(PyObject *context, PyObject *method, PyObject *event)
{
    if (PyContext_Enter(context) < 0) {
        return NULL;
    }
    PyObject *result = goanna_call_event(method, event);
    if (PyContext_Exit(context) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

#endif
