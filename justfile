# The recipes of this project. On a machine without `just`: .tools/bin/uv run just <recipe>

set shell := ["bash", "-euo", "pipefail", "-c"]

uv := env("UV", "uv")
run := "'" + uv + "' run"

# List the recipes
default:
    @'{{ just_executable() }}' --list --unsorted

# Say what is missing on this machine, before anything else is tried
preflight:
    @python3 scripts/preflight.py

# Install the service and everything to work on it, exactly as locked
install: preflight
    '{{ uv }}' sync --locked

# Run the service: just run --port 9000
run *arguments: preflight
    @{{ run }} symphony serve {{ arguments }}

# Run the tests on PostgreSQL, an SQLite file and SQLite in memory: just test tests/api -k races
test *arguments: preflight
    @{{ run }} pytest -n 3 --dist loadgroup {{ arguments }}

# Run what takes long: storms of clients, kills, a search for secrets, an altered database
test-long *arguments: preflight
    @{{ run }} pytest -m long -n 2 tests {{ arguments }}

# Lint the OpenAPI document, make clients from it and use them; fetches the tools that do it
sdk *arguments: preflight
    @{{ run }} pytest -m sdk tests/sdk {{ arguments }}

# Make up requests from the OpenAPI document, and look at each answer: just fuzz 20 for fewer
fuzz examples="300":
    @FUZZ_EXAMPLES={{ examples }} {{ run }} pytest -m fuzz -n 2 tests/fuzz

# What it costs a request that it is logged and counted
bench-sight:
    @{{ run }} python benchmarks/sight.py

# Find mistakes, wrong imports and dependencies that nobody declared or needs
lint:
    @{{ run }} ruff check .
    @{{ run }} ruff format --check .
    @{{ run }} lint-imports --no-cache > /dev/null || {{ run }} lint-imports --no-cache
    @{{ run }} deptry .

# Put the code into its form
format:
    @{{ run }} ruff check --fix-only --quiet .
    @{{ run }} ruff format .

# Check the types, strictly
typecheck:
    @{{ run }} pyright

# The gate: lint, types, imports, demos, a little chaos, generated clients, a little fuzzing, tests
check: lint typecheck demo (chaos "--server-kills" "4" "--database-faults" "2") sdk (fuzz "10") (test "-m" "bench" "tests/test_benchmarks.py") test-long test

# Show every feature, and check that it is as shown
demo:
    @{{ run }} python scripts/demos/run_all.py

# Settings: where they come from, and how bad ones are refused
demo-config:
    @{{ run }} python scripts/demos/demo_config.py

# The four nouns, and the rules they keep
demo-domain-models:
    @{{ run }} python scripts/demos/demo_domain_models.py

# Migrations, constraints and transactions
demo-database:
    @{{ run }} python scripts/demos/demo_database.py

# Repositories: ownership, look-ups, pages
demo-repositories:
    @{{ run }} python scripts/demos/demo_repositories.py

# Domain services: uniqueness, limits, locks
demo-domain-services:
    @{{ run }} python scripts/demos/demo_domain_services.py

# Commands and queries, and what happens when two of them meet
demo-application-layer:
    @{{ run }} python scripts/demos/demo_application_layer.py

# The real server, called over HTTP
demo-api:
    @{{ run }} python scripts/demos/demo_api.py

# The docs page, the schema, the metrics, the logs and the guides
demo-docs:
    @{{ run }} python scripts/demos/demo_docs.py

# Two editors, a lost answer: changes that are safe to share and to repeat
demo-safe-changes:
    @{{ run }} python scripts/demos/demo_safe_changes.py

# A tour of the problems that the API answers
demo-errors:
    @{{ run }} python scripts/demos/demo_errors.py

# Repos on the disk and their remotes: how each stands, told without touching any
demo-repos:
    @{{ run }} python scripts/demos/demo_repos.py

# Of all repos and vaults, those in which something is left to do
demo-attention:
    @{{ run }} python scripts/demos/demo_attention.py

# Vaults that lock: who gets in and who does not, and what the database sees of it
demo-vaults:
    @{{ run }} python scripts/demos/demo_vaults.py

# Kill server and database under writes, and see that nothing acknowledged is lost; takes minutes
chaos *arguments:
    @{{ run }} python scripts/chaos/run.py {{ arguments }}

# Measure requests/s beside a service written by hand and a textbook one; takes some ten minutes
bench *arguments:
    @{{ run }} python benchmarks/run.py {{ arguments }}

# Measure what a million repos and a thousandth page cost, and explain every query; takes some minutes
bench-growth *arguments:
    @{{ run }} python benchmarks/growth.py {{ arguments }}

# Bring the database's schema to the newest revision
db-migrate:
    @{{ run }} symphony db upgrade

# Write a new revision from what has changed in the models: just db-revision "add colours"
db-revision message:
    @{{ run }} alembic revision --autogenerate -m {{ quote(message) }} --rev-id "$(printf '%03d' $(( $(ls alembic/versions/*.py | wc -l) + 1 )))"

# Tell whether the database's schema is at the newest revision
db-check:
    @{{ run }} symphony db check

# Build the wheel and the source distribution
build:
    '{{ uv }}' build

# Remove what was built or cached
clean:
    rm -rf dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
    find src tests scripts benchmarks alembic -name __pycache__ -type d -prune -exec rm -rf {} +
