# Included before anything is imported: an extension module must not run beside the Python files of another version.
# setup.py gives the two macros.

cdef extern from *:
    """
    #define GOANNA_TEXT_OF(tokens) #tokens
    #define GOANNA_TEXT(macro) GOANNA_TEXT_OF(macro)
    static const char goanna_built[] =
        "goanna " GOANNA_TEXT(GOANNA_VERSION) " built from " GOANNA_TEXT(GOANNA_SOURCES);
    """
    const char* goanna_built

from goanna.core import build as _build

BUILT = (<bytes>goanna_built).decode()
_build.check(BUILT)
