# Two targets are for everyone: `make demo` and `make test`. Both install what they need.
SHELL := /bin/bash
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# without its bytecode an engine takes twice as long to start, and the tests start hundreds
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup test check audit demo bench index parity

setup: $(VENV)/.installed
	@scripts/setup-docker.sh

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing homeport and what it needs into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

test: $(VENV)/.installed
	@scripts/setup-docker.sh awscli busybox-static jq skopeo podman
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 3 --dist worksteal -q --reruns 2 --reruns-delay 2

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(VENV)/.installed $(VENV)-audit/.installed
	PYTHONPATH=. $(BIN)/python scripts/audit.py $(VENV)-audit/bin

$(VENV)-audit/.installed:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check checkov==3.3.30 parliament==1.6.4
	@touch $@

demo: setup
	@$(BIN)/homeport demo

bench: setup
	@$(BIN)/python -m bench

parity: $(VENV)/.installed
	$(BIN)/python -m homeport.engine.parity

index: $(VENV)/.installed
	$(BIN)/python -m homeport.engine.wire.model
