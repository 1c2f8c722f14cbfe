/* Whether this process has been forked off: at the price of reading one byte. */
#ifndef GOANNA_FORK_PAGE_H
#define GOANNA_FORK_PAGE_H

#include <Python.h>
#include "threads.h"
#ifndef _WIN32
#include <sys/mman.h>
#include <unistd.h>
#endif

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

#endif
