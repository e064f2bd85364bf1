# Everything starts from nothing but Python 3.11 or newer: `make demo`, `make test`.
# PYTHON chooses the interpreter that makes the environment; afterwards .venv is used.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock

.PHONY: demo test check bench docs data clean schemas pictures
.DEFAULT_GOAL := demo

demo: $(VENV)/.user
	@$(BIN)/geoplan demo

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos
	$(MAKE) docs

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs: docs/_build/html/index.html"

bench: $(VENV)/.dev
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

data: $(VENV)/.dev
	$(BIN)/python data/generate.py

schemas: $(VENV)/.dev
	$(BIN)/geoplan schemas docs/schemas

pictures: $(VENV)/.dev
	$(BIN)/python docs/make_pictures.py

clean:
	rm -rf $(VENV) build dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The two environments share one folder and one lock; the stamps make the second run quick.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "geoplan needs Python 3.11 or newer as '$(PYTHON)'; name another with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.user: $(VENV)/.made pyproject.toml requirements.lock
	@echo "installing geoplan and the libraries it stands on (about a minute the first time)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.user
	@echo "installing what the tests and checks need"
	@$(PIP) -e '.[dev]'
	@touch $@
