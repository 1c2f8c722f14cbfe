/* What the ring asks of the operating system: clocks that cost little, and whether the process has been forked. */
#ifndef GOANNA_RING_H
#define GOANNA_RING_H

#include <Python.h>
#include <string.h>
#include "threads.h"
#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
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

/* How often this process has been forked off since the module was loaded, as far as anyone has asked. Linux wipes a page
   in every child, also of a fork that runs no hooks, so that asking is one read of memory; elsewhere it is getpid(). */
static volatile char *goanna_page = NULL;
static Py_ssize_t goanna_process = 0;
static Py_ssize_t goanna_generation = 0;

static void goanna_watch_forks(void)
{
#ifndef _WIN32
    goanna_process = (Py_ssize_t)getpid();
#ifdef MADV_WIPEONFORK
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) {
        if (madvise(page, size, MADV_WIPEONFORK) == 0) {
            goanna_page = page;
            *goanna_page = 1;
        }
        else { /* a kernel before 4.14 */
            munmap(page, size);
        }
    }
#endif
#endif
}

static inline Py_ssize_t goanna_forks(void)
{
#ifndef _WIN32
    if (goanna_page != NULL) {
#ifdef Py_GIL_DISABLED
        /* One thread of the child counts the fork; the others wait for the two steps of that. */
        char now = __atomic_load_n(goanna_page, __ATOMIC_ACQUIRE);
        while (now != 1) {
            if (now == 0 && __atomic_compare_exchange_n(goanna_page, &now, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
                goanna_add(&goanna_generation, 1);
                __atomic_store_n(goanna_page, 1, __ATOMIC_SEQ_CST);
                break;
            }
            now = __atomic_load_n(goanna_page, __ATOMIC_ACQUIRE);
        }
#else
        if (*goanna_page == 0) {
            *goanna_page = 1;
            goanna_generation++;
        }
#endif
    }
    else {
        Py_ssize_t known = goanna_get(&goanna_process), here = (Py_ssize_t)getpid();
        if (here != known && goanna_move(&goanna_process, known, here)) {
            goanna_add(&goanna_generation, 1);
        }
    }
#endif
    return goanna_get(&goanna_generation);
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
