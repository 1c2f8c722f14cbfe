# The two commands are `make demo` and `make test`; the others are what .ci/run is made of. Everything is set up in
# .venv by the first that needs it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# With a compiler at hand a core that doesn't compile is an error; without one the pure core is what there is.
COMPILER := $(shell command -v $${CC:-cc} 2>/dev/null)
export GOANNA_BUILD_EXT ?= $(if $(COMPILER),require,auto)

.PHONY: demo test bench lint types docs sdist wheels sanitize clean
.DELETE_ON_ERROR:

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/built: $(BIN)/python setup.py pyproject.toml $(wildcard ext/*)
	$(BIN)/python -m pip install --quiet --editable ".[cli]"
	touch $@

# A stamp for each dependency group: $(VENV)/group-test and so on.
$(VENV)/group-%: $(VENV)/built
	$(BIN)/python -m pip install --quiet --group $*
	touch $@

demo: $(VENV)/built
	$(BIN)/python -m goanna demo

test: $(VENV)/group-test
	$(BIN)/python -m pytest $(if $(COMPILER),--require-compiled) $(ARGS)

bench: $(VENV)/group-bench $(VENV)/group-test
	$(BIN)/python -m benchmarks

lint: $(VENV)/group-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/group-lint
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/goanna/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
