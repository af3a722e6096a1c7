# Two commands: `make demo` and `make test`. Each does all of its own set-up; Python >= 3.11 is all that they ask for.
PYTHON ?= python3
BIN := .venv/bin
# The tests wait for AWS more than they compute: twice the cores.
JOBS ?= 4
SIDE_BY_SIDE := --numprocesses $(JOBS) --dist loadscope --no-loadscope-reorder

.PHONY: demo test bad-luck-test vm-test lint unit golden schema docs fuzz instance-data bench setup clean help

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

demo: setup ## The whole life of an environment on an embedded AWS, in a few minutes
	$(BIN)/gen-infra demo

test: setup lint ## Every check and every test, with the real tools
	$(BIN)/pytest $(SIDE_BY_SIDE)

bad-luck-test: setup ## Stop, kill and starve real runs in each phase: a quarter of an hour; CI runs it too
	$(BIN)/pytest tests/bad_luck $(SIDE_BY_SIDE)

lint: setup ## ruff, mypy, shellcheck, shfmt (terraform fmt is among the tests)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git grep -lz '^#!/usr/bin/env bash' | xargs -0 $(BIN)/shellcheck
	git grep -lz '^#!/usr/bin/env bash' | xargs -0 $(BIN)/shfmt --diff --indent 2 --case-indent --binary-next-line

unit: setup ## The tests that start no process
	$(BIN)/pytest tests/unit tests/golden

golden: setup ## Write the golden files again; read the difference before you commit it
	$(BIN)/python -m tests.golden.renew

schema: setup ## Write the manifest's JSON Schema again
	$(BIN)/python -m gen_infra.manifest.schema

instance-data: setup ## Write the data file of instance types again, from EC2 or (AWS_ENDPOINT_URL) the embedded AWS
	$(BIN)/python -m tasks.instance_data

docs: schema ## Write docs/manifest.md again
	$(BIN)/python -m tasks.manifest_page

vm-test: setup ## Boot the image's root in QEMU: as root, five minutes, with requirements/debian-vm.txt
	$(BIN)/pytest tests/vm/boot.py

FUZZ_SECONDS ?= 60
fuzz: .venv-fuzz/ready ## Read manifests that a coverage-guided fuzzer makes up (FUZZ_SECONDS=60)
	PYTHONPATH=generator .venv-fuzz/bin/python -m tests.fuzz $(FUZZ_SECONDS)

bench: setup ## Measure what bench/README.md shows
	$(BIN)/python bench/run.py

setup: .venv/ready .venv-checkov/ready

.venv/ready: requirements/dev.lock requirements/terraform.lock pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	command -v terraform >/dev/null || command -v tofu >/dev/null || \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/terraform.lock
	touch $@

# checkov pins boto3 and its own hcl2, so it lives apart; the link puts it beside gen-infra.
.venv-checkov/ready: requirements/checkov.lock .venv/ready
	$(PYTHON) -m venv --clear .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/checkov.lock
	ln -sf ../../.venv-checkov/bin/checkov $(BIN)/checkov
	touch $@

.venv-fuzz/ready: requirements/fuzz.lock
	$(PYTHON) -m venv --clear .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/fuzz.lock
	touch $@

clean: ## Remove the environments and caches that make made (never build/: it may hold a state)
	rm -rf .venv .venv-checkov .venv-fuzz .mypy_cache .ruff_cache .pytest_cache
