# The recipes of this project. On a machine without `just`: .tools/bin/uv run just <recipe>

set shell := ["bash", "-euo", "pipefail", "-c"]

uv := env("UV", "uv")
run := "'" + uv + "' run"

# Tests of requests that compete, are retried or fail, and of pages of lists
contention := replace('''
    tests/api/test_races.py
    tests/api/test_idempotency.py
    tests/api/test_conditions.py
    tests/api/test_lists.py
    tests/api/test_failed_commit.py
    tests/api/across_workspaces
    tests/api/tokens
    tests/application/test_registration.py
''', "\n", " ")

# If it were set, each process would compile every module, and pytest would rewrite each test module.
export PYTHONDONTWRITEBYTECODE := ""

# List the recipes
default:
    @'{{ just_executable() }}' --list --unsorted

# Report what is missing on this machine
preflight:
    @python3 scripts/preflight.py

# Install the service and all development tools, in the locked versions
install: preflight
    '{{ uv }}' sync --locked

# Run the server: just run --port 9000
run *arguments: preflight
    @# In a terminal, a process group of its own: Ctrl-C stops the server, and is no error of just.
    @if [ -t 0 ]; then set -m; else exec=exec; fi; ${exec-} {{ run }} symphony serve {{ arguments }}; exit $?

# Run the tests that are quick, on PostgreSQL and SQLite: just test tests/api -k races
test *arguments: preflight
    @{{ run }} pytest -n 3 --dist loadgroup {{ arguments }}

# Run the tests that take long: every store, storms of clients, kills, tampered databases
test-long *arguments: preflight
    @{{ run }} pytest -m long -n 3 --dist loadgroup {{ arguments }}

# Run tests of the API on PostgreSQL through a pgbouncer: just test-pooler tests/api; needs it on the path
test-pooler *arguments="tests/api": preflight
    @THROUGH=pgbouncer {{ run }} pytest -m "not sdk and not fuzz and not bench" -k postgresql -n 3 --dist loadgroup {{ arguments }}

# Run the tests of competing requests through a pgbouncer; part of the gate
test-pooler-contention: (test-pooler contention)

# Open the pages in a real browser; needs chromium on the path
test-browser *arguments: preflight
    @{{ run }} pytest -n 2 --dist loadgroup tests/browser {{ arguments }}

# Paint the picture of README again, after a change of the board; needs chromium on the path
picture: preflight
    @PICTURE=refresh {{ run }} pytest -q tests/browser/test_picture.py

# Lint the OpenAPI document, generate clients from it and use them; downloads the tools
sdk *arguments: preflight
    @{{ run }} pytest -m sdk tests/sdk {{ arguments }}

# Generate requests from the OpenAPI document and check each answer: just fuzz 20 for fewer
fuzz examples="300":
    @FUZZ_EXAMPLES={{ examples }} {{ run }} pytest -p schemathesis.pytest.plugin -m fuzz -n 2 tests/fuzz

# Find mistakes, wrong imports, and dependencies that are undeclared or unused
lint:
    @{{ run }} ruff check .
    @{{ run }} ruff format --check .
    @{{ run }} lint-imports --no-cache > /dev/null || {{ run }} lint-imports --no-cache
    @{{ run }} deptry .

# Format the code
format:
    @{{ run }} ruff check --fix-only --quiet .
    @{{ run }} ruff format .

# Check the types (pyright, strict)
typecheck:
    @{{ run }} pyright

# The gate: lint, types, imports, demos, some chaos, generated clients, some fuzzing, all tests
check: lint typecheck (demo "--quiet") (chaos "--server-kills" "4" "--database-faults" "2") sdk (fuzz "10") (test "-m" "bench" "tests/test_benchmarks.py") test-long test-pooler-contention test-browser test

# Show what Symphony does, feature by feature, and check it; --quiet prints only the results
demo *arguments:
    @{{ run }} python -m scripts.demos.support.run_all {{ arguments }}

# The API in ten minutes: sign up, create, find, protect, delete
demo-api:
    @{{ run }} python -m scripts.demos.demo_api

# The attention board: the repos and vaults with unfinished work
demo-attention:
    @{{ run }} python -m scripts.demos.demo_attention

# The page in a browser: sign up, import a folder, find what is at risk, keep a secret
demo-page:
    @{{ run }} python -m scripts.demos.demo_page

# A laptop, a desktop and a lost tablet report what they have; one board, from the terminal
demo-machines:
    @{{ run }} python -m scripts.demos.demo_machines

# Whether the folder of a repo can be deleted without losing anything
demo-disposal:
    @{{ run }} python -m scripts.demos.demo_disposal

# The status of git repositories on disk and of their remotes
demo-repos:
    @{{ run }} python -m scripts.demos.demo_repos

# Find all git repositories below a directory, and register them
demo-discovery:
    @{{ run }} python -m scripts.demos.demo_discovery

# Vaults: secrets behind a passphrase, and what the database stores of them
demo-vaults:
    @{{ run }} python -m scripts.demos.demo_vaults

# Tokens: two clients, an agent, a build server and a laptop; each reaches only what it needs
demo-tokens:
    @{{ run }} python -m scripts.demos.demo_tokens

# Two editors, many clients at the same time, a lost answer
demo-safe-changes:
    @{{ run }} python -m scripts.demos.demo_safe_changes

# Everything that the API refuses, and what it reports
demo-errors:
    @{{ run }} python -m scripts.demos.demo_errors

# The wire: upgrade offers, smuggling, endless heads and pipelines, lost answers
demo-wire:
    @{{ run }} python -m scripts.demos.demo_wire

# The database fails over, migrates and loses connections beneath a running service
demo-failures:
    @{{ run }} python -m scripts.demos.demo_failures

# Several hosts: a replica answers queries; the primary dies, and two processes go on with its standby
demo-hosts:
    @{{ run }} python -m scripts.demos.demo_hosts

# Repo safety: attacks by a hostile repository or another user, all refused
demo-repo-safety:
    @{{ run }} python -m scripts.demos.demo_repo_safety

# Closed doors: what another user of the machine, a hostile repository or a stranger cannot do
demo-closed-doors:
    @{{ run }} python -m scripts.demos.demo_closed_doors

# Documentation, OpenAPI document, metrics, logs and guides
demo-docs:
    @{{ run }} python -m scripts.demos.demo_docs

# The accounts of users: what an operator does on the command line
demo-accounts:
    @{{ run }} python -m scripts.demos.demo_accounts

# Logs that cannot be written, closed streams, a lost token, variables of Kubernetes
demo-running:
    @{{ run }} python -m scripts.demos.demo_running

# Inside: settings, where they come from, and how invalid ones are refused
demo-config:
    @{{ run }} python -m scripts.demos.demo_config

# Inside: the four nouns and their rules
demo-domain-models:
    @{{ run }} python -m scripts.demos.layers.demo_domain_models

# Inside: migrations, constraints and transactions
demo-database:
    @{{ run }} python -m scripts.demos.layers.demo_database

# Inside: repositories, with ownership, look-ups and pages
demo-repositories:
    @{{ run }} python -m scripts.demos.layers.demo_repositories

# Inside: domain services, with uniqueness, limits and locks
demo-domain-services:
    @{{ run }} python -m scripts.demos.layers.demo_domain_services

# Inside: commands and queries, also in parallel
demo-application-layer:
    @{{ run }} python -m scripts.demos.layers.demo_application_layer

# Kill server and database during writes, check that no acknowledged write is lost; takes minutes
chaos *arguments:
    @{{ run }} python -m scripts.chaos.run {{ arguments }}

# Fail PostgreSQL over to its standby, again and again, while clients write; prints the figures
failover times="20":
    @FAILOVERS={{ times }} {{ run }} pytest -m long -q -s -k costs_503s tests/server/hosts

# Measure requests/s of Symphony, a handwritten and a textbook service; takes about ten minutes
bench *arguments:
    @{{ run }} python -m benchmarks.run {{ arguments }}

# Measure response times from a thousand repos to a million, and explain every query; takes minutes
bench-growth *arguments:
    @{{ run }} python -m benchmarks.growth {{ arguments }}

# Check that the time of a failed sign-in does not reveal whether the user exists
bench-sign-in *arguments:
    @{{ run }} python -m benchmarks.sign_in {{ arguments }}

# Measure what a confined token costs, and check that no time tells what it does not reach
bench-tokens *arguments:
    @{{ run }} python -m benchmarks.tokens {{ arguments }}

# Measure the attention board for repositories with many branches and worktrees
bench-board *arguments:
    @{{ run }} python -m benchmarks.board {{ arguments }}

# Measure the board of repos on many machines, and reports of many machines at once
bench-machines *arguments:
    @{{ run }} python -m benchmarks.reports.machines {{ arguments }}

# Report many repositories: the first time, with few changes, with and without what is remembered
bench-report *arguments:
    @{{ run }} python -m benchmarks.reports.reporter {{ arguments }}

# Measure how much more two processes do than one, where cores allow
bench-processes *arguments:
    @{{ run }} python -m benchmarks.pairs.processes {{ arguments }}

# Measure what a pooler costs a request, compared with a direct connection to PostgreSQL
bench-pooler *arguments:
    @{{ run }} python -m benchmarks.pairs.pooler {{ arguments }}

# Measure what request ids, metrics and log lines cost per request
bench-observability:
    @{{ run }} python -m benchmarks.observability

# Measure what compression costs per request, for clients that ask for it and for those that do not
bench-compression:
    @{{ run }} python -m benchmarks.compression

# Measure what a process takes, what a request costs PostgreSQL, and what a user stores
bench-sizing *arguments:
    @{{ run }} python -m benchmarks.sizing.run {{ arguments }}

# Migrate the database to head
db-migrate:
    @{{ run }} symphony db upgrade

# Create a revision from the changes in the models: just db-revision "add colors"
db-revision message:
    @{{ run }} alembic revision --autogenerate -m {{ quote(message) }} --rev-id "$(printf '%03d' $(( $(ls alembic/versions/*.py | wc -l) + 1 )))"

# Check that the database is at head
db-check:
    @{{ run }} symphony db check

# Build the wheel and the source distribution
build:
    '{{ uv }}' build

# Remove what was built or cached
clean:
    rm -rf dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
    find src tests scripts benchmarks alembic -name __pycache__ -type d -prune -exec rm -rf {} +
