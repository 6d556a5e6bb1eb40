# Everything a developer does. `make` alone lists it.

PYTHON := .venv/bin/python
SOURCES := $(wildcard function_app.py) shared triggers local tests bench tools

# Where it is set, every process of every stack compiles all it imports: three times the work.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run setup test quick check format test-unit test-contract test-integration test-e2e test-npm \
	bench soak attack capacity trace types audit sbom lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null || \
		sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run:  ## start everything on 127.0.0.1:7071 (PORT=8071 make run for another place)
	@tools/setup.sh
	@exec $(PYTHON) -m local

setup:  ## install what is missing and build the page, start nothing
	@tools/setup.sh

test:  ## everything: checks, Python tests, npm tests, browsers
	@tools/setup.sh test
	@tools/test.sh

quick:  ## what the change touches, in a minute: checks and tests without a stack (BASE=main)
	@tools/setup.sh
	@$(PYTHON) -m tools.quick

check:  ## format, lint, types, layers, pinned packages
	@tools/setup.sh
	@tools/test.sh check

format:  ## rewrite the Python files as `make check` wants them
	@.venv/bin/ruff format $(SOURCES)
	@.venv/bin/ruff check --fix $(SOURCES)

test-unit:  ## the rules alone, in seconds
	@tools/setup.sh
	@$(PYTHON) -m pytest tests/unit

test-contract:  ## each stand-in against the real SDK or client
	@tools/setup.sh
	@$(PYTHON) -m pytest tests/contract

test-integration:  ## the function app and the whole stack
	@tools/setup.sh
	@$(PYTHON) -m pytest tests/integration

test-e2e:  ## the real client, and two browsers
	@tools/setup.sh test
	@tools/test.sh e2e

test-npm:  ## the SDK and the page
	@tools/setup.sh
	@tools/test.sh npm

soak:  ## talk under every fault for SOAK_MINUTES (60), with a report in bench/results/
	@tools/setup.sh
	@$(PYTHON) -m tests.reliability.soak $(or $(SOAK_MINUTES),60)

attack:  ## attack a stack of its own for some minutes, or a running one: make attack URL=http://127.0.0.1:7071
	@tools/setup.sh
	@$(PYTHON) -m tests.attack $(if $(URL),--url $(URL))

bench:  ## the numbers of the README, into bench/results/
	@tools/setup.sh
	@$(PYTHON) -m bench

capacity:  ## what N users need and cost, into docs/capacity.md, from the results of make bench
	@tools/setup.sh
	@$(PYTHON) -m bench.capacity

trace:  ## follow one message through the local log: make trace ID=<client message id or trace id>
	@tools/trace.sh "$(ID)"

types:  ## write the SDK's types from docs/openapi.yaml and docs/asyncapi.yaml
	@$(PYTHON) tools/contract_types.py write

audit:  ## ask the public advisories about every pinned package (ARGS=--allow-offline)
	@tools/setup.sh
	@tools/audit_env.sh
	@$(PYTHON) tools/audit.py $(ARGS)

sbom:  ## list what the app and the page are made of: CycloneDX, into dist/sbom/
	@tools/setup.sh
	@tools/audit_env.sh
	@$(PYTHON) tools/sbom.py

lock:  ## pin the Python packages anew from pyproject.toml
	@tools/lock.sh

clean:  ## forget all local data (.local) and everything built or cached here
	rm -rf .local .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		.coverage htmlcov tests/output dist web/dist sdk/dist
