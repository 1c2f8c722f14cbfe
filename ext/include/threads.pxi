# What the compiled modules share of threads.h: nothing where there is a GIL.
cdef extern from "threads.h":
    enum: GOANNA_NO_GIL
    ctypedef struct goanna_spinlock:
        pass
    void goanna_enter(goanna_spinlock* lock) noexcept
    void goanna_leave(goanna_spinlock* lock) noexcept
    ctypedef struct goanna_lock:
        pass
    void goanna_acquire(goanna_lock* lock) noexcept
    void goanna_release(goanna_lock* lock) noexcept
    void goanna_renew(goanna_lock* lock) noexcept
    Py_ssize_t goanna_add(Py_ssize_t* count, Py_ssize_t amount) noexcept
    Py_ssize_t goanna_get(Py_ssize_t* count) noexcept
    void goanna_set(Py_ssize_t* count, Py_ssize_t value) noexcept
    bint goanna_claim(Py_ssize_t* flag) noexcept
    bint goanna_move(Py_ssize_t* number, Py_ssize_t before, Py_ssize_t after) noexcept
    object goanna_kept(object keeper)
    object goanna_keep(object keeper, goanna_lock* lock, object value)
