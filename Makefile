# make run trades on paper, make test proves it. Both install what they need into .venv first.
.PHONY: setup run test lint check bench docs lock clean
.DELETE_ON_ERROR:
PYTHON ?= python3
UV := .venv/bin/uv pip install --quiet --python .venv/bin/python
unexport PYTHONDONTWRITEBYTECODE  # without cached bytecode every process compiles Prefect again

setup: .venv/setup.stamp ; @:

run: setup
	@exec .venv/bin/cryptotrader up

test: .venv/dev.stamp
	@.venv/bin/pytest -n 2 --dist loadfile --cov=cryptotrader.core --cov-report=term-missing:skip-covered --cov-fail-under=100 $(PYTEST)

lint: .venv/dev.stamp
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy && .venv/bin/lint-imports

check: lint test

bench: .venv/dev.stamp
	@.venv/bin/python -m tests.bench

docs: .venv/dev.stamp
	@.venv/bin/python -m tests.test_house

clean:
	rm -rf .venv *.egg-info .coverage .*_cache .hypothesis bench.json && find . -name __pycache__ -prune -exec rm -rf {} +

# What stands below is not for every day.
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-header --no-annotate
lock: .venv/dev.stamp
	cd requirements && for set in uv runtime dev; do ../$(COMPILE) $(UPGRADE) $$set.in -o $$set.lock || exit; done

VERSION = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>&1 | tail -n 1)
REFUSE_PYTHON = $(error CryptoTrader needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is "$(VERSION)". Try: make PYTHON=python3.12 setup)
REFUSE_FOLDER = $(error CryptoTrader cannot write in $(CURDIR). Make this folder writable, or copy it to one that is)

.venv/setup.stamp: requirements/uv.lock requirements/runtime.lock pyproject.toml
	$(if $(shell test -w . && echo yes),,$(REFUSE_FOLDER))
	$(if $(filter 3.11 3.12 3.13,$(VERSION)),,$(REFUSE_PYTHON))
	@echo "Installing into .venv: about half a minute, once."
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@$(UV) --compile-bytecode --require-hashes -r requirements/runtime.lock
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/setup.stamp requirements/dev.lock
	@$(UV) --compile-bytecode --require-hashes -r requirements/dev.lock
	@touch $@
