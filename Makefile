# `make run` starts Merchant, `make test` tests it. Nothing has to be prepared.
.PHONY: run test setup lint format bench lock

# PORT=9000 make run, and HOST, DATABASE_URL, ... are passed on as they are.
run: setup
	@exec .venv/bin/python manage.py serve --demo

setup: .venv/runtime.lock
	@.venv/bin/python scripts/first_start.py
	@.venv/bin/python manage.py migrate --verbosity 0
	@.venv/bin/python manage.py collect

test: .venv/tests.lock
	@.venv/bin/python scripts/run_tests.py

lint: .venv/tests.lock
	@.venv/bin/python scripts/run_lint.py

format: .venv/tests.lock
	@.venv/bin/ruff check --fix --quiet .; .venv/bin/ruff format --quiet .

bench: .venv/tests.lock
	@.venv/bin/python scripts/run_bench.py

lock: .venv/tests.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		requirements.in -o requirements.lock
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		requirements-dev.in -c requirements.lock -o requirements-dev.lock

# A copy of the lock in .venv says what is installed there, so a second start is quick.
.venv/runtime.lock: requirements.lock
	@sh scripts/install.sh requirements.lock .venv/runtime.lock

.venv/tests.lock: requirements-dev.lock
	@sh scripts/install.sh requirements-dev.lock .venv/tests.lock
