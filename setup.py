"""Builds the compiled core where that is possible; everything else about the package stands in pyproject.toml."""

from __future__ import annotations

import os
import runpy
import sys

from setuptools import Extension, setup

VARIABLE = "GOANNA_BUILD_EXT"
CHOICES = ("auto", "require", "no")

BUILD = runpy.run_path("src/goanna/core/build.py")

# ext/PACKAGE/ is compiled into goanna.PACKAGE._compiled.
PARTS = BUILD["sources"](".")
SOURCES = [one for one in PARTS if one.endswith("/_compiled.pyx")]
FINGERPRINT = BUILD["fingerprint"](".")


def choice() -> str:
    """Return what the environment says about the extension: try to build it, insist on it, or leave it out."""
    value = os.environ.get(VARIABLE, "auto") or "auto"
    if value not in CHOICES:
        raise SystemExit(f"{VARIABLE} is {value!r}; it must be one of {', '.join(CHOICES)}")
    if value == "auto" and sys.implementation.name != "cpython":
        return "no"  # the pure core is the faster one under a tracing compiler
    return value


def bears_stamp(path: str) -> bool:
    """Return whether an extension module is there that was built from these sources, for this version."""
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        return BUILD["stamp"](FINGERPRINT).encode() in file.read()


def extension(required: bool) -> dict[str, object]:
    """Return the arguments of setup() that build the extension modules."""
    try:
        from Cython.Distutils.build_ext import build_ext
    except ImportError:
        if required:
            raise
        print("warning: goanna is built without its compiled core: Cython is not installed", file=sys.stderr)
        return {}

    class BuildExt(build_ext):
        """Puts the generated C in the build folder, and says plainly when a module could not be compiled."""

        def finalize_options(self) -> None:
            super().finalize_options()
            self.cython_c_in_temp = True
            self.cython_include_dirs = [*self.cython_include_dirs, "src"]  # where the .pxd files lie

        def build_extensions(self) -> None:
            if self.compiler.compiler_type == "unix":
                # CFLAGS of the environment replaces Python's own flags, the level of optimisation among them.
                # Debugging information would make the library four times as large.
                flags = [] if "-fsanitize" in os.environ.get("CFLAGS", "") else ["-O3", "-g0"]
                if sys.platform == "linux":
                    flags += ["-fno-plt", "-fno-semantic-interposition"]
                for one in self.extensions:
                    one.extra_compile_args += flags
            super().build_extensions()

        def build_extension(self, ext: Extension) -> None:
            # What an earlier build left may be younger than these sources without being of them: it is no reason to
            # generate or compile less, and nothing to be packed should the compiler fail.
            forced, path = self.force, self.get_ext_fullpath(ext.name)
            if not bears_stamp(path):
                self.force = True
                if os.path.exists(path):
                    os.unlink(path)
            try:
                super().build_extension(ext)
            finally:
                self.force = forced

        def run(self) -> None:
            super().run()
            for one in self.extensions:
                if not os.path.exists(self.get_ext_fullpath(one.name)):
                    print(
                        "warning: goanna is installed without its compiled core, because it could not be built here "
                        f"(see above); it works, but slower. Set {VARIABLE}=require to make this an error.",
                        file=sys.stderr,
                    )

    modules = [
        Extension(
            f"goanna.{os.path.basename(os.path.dirname(source))}._compiled",
            [source],
            include_dirs=["ext/include", os.path.dirname(source)],
            define_macros=[("GOANNA_VERSION", BUILD["__version__"]), ("GOANNA_SOURCES", FINGERPRINT)],
            depends=PARTS,
            optional=not required,
        )
        for source in SOURCES
    ]
    return {"ext_modules": modules, "cmdclass": {"build_ext": BuildExt}}


chosen = choice()
setup(**({} if chosen == "no" else extension(chosen == "require")))
