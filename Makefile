# One command each: `make help` lists them. Needs Python 3.11 to 3.13; uses uv where there is one.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run test test-sqlite test-postgres chaos cluster check audit format requirements token simulator shell bench bench-quick bench-servers bench-growth bench-reads profile clean

# The first that runs: version managers put names into PATH that they then refuse to serve.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do $$name -c '' 2>/dev/null && echo $$name && break; done)
UV := $(shell command -v uv)
# uv trusts the certificates that the system does, as pip does.
export UV_SYSTEM_CERTS ?= true
# Bytecode is written, whoever thinks otherwise: tests and benchmarks start so many processes.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
SERVER := .venv/.server
TOOLS := .venv/.tools
BENCH := .venv/.bench

# Whatever these say goes to stderr: what a target is asked for stays alone on stdout.
ifdef UV
INSTALL = uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode $(foreach file,$^,-r $(file)) >&2
MAKE_VENV = uv venv --quiet --allow-existing --python '>=3.11,<3.14' .venv >&2
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(foreach file,$^,-r $(file)) >&2
MAKE_VENV = $(PYTHON) -m venv .venv >&2
endif

# More processes than cores, since most tests wait for something; tests/services/sharing.py spreads them.
PYTEST = $(BIN)/python -m pytest -n 3
# What meets the database only through routes that the rest asks on both, or brings a Postgres of its own (the last two).
NO_DATABASE := providers page frontends schema openai security cluster deploy

# As a deployment has it; `check --deploy` must find nothing to say about that.
PRODUCTION = ENV_FILE= SIMULATOR=off OPENAI_API_KEY=none DJANGO_HTTPS=yes ALLOWED_HOSTS=chat.example.org \
	DJANGO_SECRET_KEY=0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ \
	AUTH_MODE=required WEB_WORKERS=2 REDIS_URL=redis://localhost DATABASE_URL=postgres://dialogix@localhost/dialogix

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(SERVER)  ## serve on PORT (8000), on SQLite and with simulated providers unless the environment says otherwise
	@exec $(BIN)/python -m dialogix.serve --migrate

test: $(TOOLS)  ## all tests, on SQLite and then on Postgres what a database has a part in
	@sh tests/services/install.sh
	@$(MAKE) --keep-going test-sqlite test-postgres

test-sqlite: $(TOOLS)
	TEST_DATABASE=sqlite $(PYTEST)

test-postgres: $(TOOLS)
	TEST_DATABASE=postgres $(PYTEST) $(foreach name,$(NO_DATABASE),--ignore=tests/$(name))

chaos: $(TOOLS)  ## the tests that kill, pause and cut off servers, in their long form, on both databases
	CHAOS=long TEST_DATABASE=sqlite $(BIN)/python -m pytest tests/chaos
	CHAOS=long TEST_DATABASE=postgres $(BIN)/python -m pytest tests/chaos

cluster: $(TOOLS)  ## four nodes behind nginx while parts of it are killed and restarted, in the long form
	@sh tests/services/install.sh
	CHAOS=long $(BIN)/python -m pytest tests/cluster

check: $(TOOLS)  ## lint, format, types, security, import arrows, migrations, and Django's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive dialogix conversations providers
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.deploy.lint_migrations
	$(BIN)/python manage.py check --fail-level WARNING
	@echo 'manage.py check --deploy, with the settings of a deployment'
	@env $(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

audit: $(TOOLS)  ## ask PyPI whether anything that is installed is known to be vulnerable (needs the internet)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.txt

format: $(TOOLS)  ## let ruff put everything into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

requirements:  ## pin anew what requirements*.in name (needs uv)
	for file in requirements requirements-dev bench/requirements; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url --no-emit-find-links $$file.in -o $$file.txt || exit; \
	done

token: $(SERVER)  ## print a new bearer token and nothing else: make -s token USER=name
ifneq ($(origin USER),command line)
	@echo 'Whose? make -s token USER=name' >&2; exit 2
endif
	@$(BIN)/python manage.py migrate --verbosity 0 >&2
	@$(BIN)/python manage.py create_token '$(USER)'

simulator: $(SERVER)  ## the vendors' APIs, simulated, on a port of their own
	@exec $(BIN)/python -m providers.simulator

shell: $(SERVER)  ## Django's shell
	@$(BIN)/python manage.py shell

bench: $(BENCH)  ## measure what a reply costs, into docs/performance.md (about five minutes)
	$(BIN)/python -m bench

bench-quick: $(BENCH)  ## the same in under a minute, printed only
	$(BIN)/python -m bench --quick

bench-durable: $(BENCH) $(TOOLS)  ## what kills lose, how soon rejoins and cancels work: make bench-durable ACTS='kills soak'
	$(BIN)/python -m bench.durable $(ACTS)

bench-servers: $(BENCH)  ## the same application under four ASGI servers, into docs/performance.md
	$(BIN)/python -m bench.servers

bench-growth: $(BENCH)  ## how a stored reply's cost grows, into docs/performance.md
	$(BIN)/python -m bench.growth

bench-reads: $(BENCH) $(TOOLS)  ## pages of a database that grows to a million messages, into docs/performance.md
	$(BIN)/python -m bench.reads

profile: $(BENCH)  ## a flame graph in .state/flame: make profile LOAD='paced --stored' (or burst, short)
	$(BIN)/python -m bench.flame $(LOAD)

clean:  ## remove what can be made again; the database and the secret key in .state stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis static htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.made:
	@echo 'Making .venv' >&2
	@$(MAKE_VENV)
	@touch $@

$(SERVER): requirements.txt | .venv/.made
	@echo 'Installing what the server runs on' >&2
	@$(INSTALL)
	@touch $@

$(TOOLS): requirements.txt requirements-dev.txt | .venv/.made
	@echo 'Installing what tests and checks need' >&2
	@$(INSTALL)
	@touch $(SERVER) $@

$(BENCH): requirements.txt bench/requirements.txt | .venv/.made
	@echo 'Installing what the benchmarks compare with' >&2
	@$(INSTALL)
	@touch $(SERVER) $@
