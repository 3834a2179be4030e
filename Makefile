# Vitrina. `make help` lists the targets. Needs make and a Python 3 (3.8 or newer); scripts/uv brings
# uv, and uv brings Python 3.13 and every package, all inside this folder.

CATALOG ?= examples/shop
PORT    ?= 8000
# One worker per core, whole files to a worker, so that a file's server starts once.
PYTEST_FLAGS ?= -n auto --dist loadfile
IMAGE   ?= vitrina:latest

UV  := scripts/uv
RUN := $(UV) run --frozen
# What a target does not need is not installed for it.
RUN_ONLY := $(RUN) --no-default-groups
DOCS_HTML := docs/_build/html
KUBERNETES := 1.32
MANIFESTS := $(filter-out %/kustomization.yaml,$(wildcard k8s/*.yaml))

# COVERAGE=1 measures branch coverage, in subprocesses too, and holds the gate of pyproject.toml.
ifdef COVERAGE
COVERAGE_FLAGS := --cov --cov-report=term --cov-report=xml
endif

.DEFAULT_GOAL := help
.PHONY: help setup serve test lint fix types docs package bench image check

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Variables: CATALOG=$(CATALOG) PORT=$(PORT) PYTEST_FLAGS='$(PYTEST_FLAGS)' COVERAGE=1 IMAGE=$(IMAGE)"

setup:  ## Install everything that the other targets use
	$(UV) sync --frozen --quiet

serve:  ## Serve CATALOG (a folder or a product file) on 127.0.0.1:PORT
	@$(RUN_ONLY) vitrina serve $(CATALOG) --port $(PORT)

test:  ## Run every test (COVERAGE=1: with the coverage gate)
	@$(RUN_ONLY) --group test pytest $(PYTEST_FLAGS) $(COVERAGE_FLAGS)

lint:  ## Check style, security, spelling, contracts between layers, scripts, workflows, manifests
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) bandit --quiet --configfile pyproject.toml --recursive src
	$(RUN) lint-imports --no-logo
	$(RUN) codespell
	$(RUN) shellcheck .ci/run scripts/uv scripts/*.sh
	$(RUN) hadolint Dockerfile
	$(RUN) yamllint --strict .
	$(RUN) zizmor --offline --quiet --pedantic .github
	$(RUN) check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN) kubernetes-validate --strict --quiet --kubernetes-version $(KUBERNETES) $(MANIFESTS)
	@if command -v kubectl >/dev/null; then kubectl kustomize k8s >/dev/null; else echo "no kubectl: k8s/kustomization.yaml was not rendered"; fi

fix:  ## Mend what the linters can mend by themselves
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

types:  ## Check types (mypy --strict on src and tests)
	$(RUN) mypy

docs:  ## Build the documentation into docs/_build/html, warnings are errors
	$(RUN) sphinx-build --fail-on-warning --keep-going --quiet --builder html docs $(DOCS_HTML)
	@echo "docs: $(DOCS_HTML)/index.html"

package:  ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(UV) build --quiet
	$(UV) run --isolated --no-project --python 3.13 --with dist/*.whl vitrina --help >/dev/null
	@ls dist

bench:  ## Run the benchmarks (minutes; prints ratios to other servers)
	@for each in $$(grep -l __main__ benchmarks/*.py); do echo "== $$each"; $(RUN_ONLY) --group test python $$each || exit 1; done

image:  ## Build the container image and try it out
	scripts/image.sh $(IMAGE)

check:  ## Everything that CI checks
	bash .ci/run
