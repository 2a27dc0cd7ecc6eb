# Two commands for a newcomer: `make run` and `make test`. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
.PHONY: run test test-work test-clocks test-alone again-work again-clocks again-alone check fix bench conformance messages lock clean

run: .venv/.run
	$(BIN)/rostra demo

# What lives in real time mostly waits, so what computes fills the time beside it, and gives way to it for a core.
# Then the machine is each test's own: first what has failed beside others is tried once more, then what hears pauses
# or measures time (`alone`) has its turn. With ARGS: only that.
test: .venv/.dev
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(MAKE) --jobs 2 test-work test-clocks
	$(MAKE) again-work again-clocks test-alone again-alone
endif

work := tests/simulation tests/unit tests/contract
clocks := tests/conformance tests/e2e tests/chaos
alone := $(clocks)
# Each part remembers its own failures. Pytest ends with 1 if tests failed, with 5 if there were none to run.
PART = $(lastword $(subst -, ,$@))
PYTEST = $(BIN)/python -m pytest -o cache_dir=.pytest_cache/$(PART) $($(PART))
BESIDE := --numprocesses 2 --dist loadfile --durations 15 -m "not alone"

test-work: .venv/.dev
	nice $(PYTEST) $(BESIDE) || [ $$? -eq 1 ]

test-clocks: .venv/.dev
	$(PYTEST) $(BESIDE) || [ $$? -eq 1 ]

test-alone: .venv/.dev
	$(PYTEST) --durations 15 -m alone || [ $$? -eq 1 ]

again-work again-clocks again-alone: .venv/.dev
	$(PYTEST) --last-failed --last-failed-no-failures none || [ $$? -eq 5 ]

check: .venv/.dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

fix: .venv/.dev
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: .venv/.dev
	$(BIN)/python -m benchmarks $(ARGS)

conformance: .venv/.dev
	$(BIN)/python tools/conformance.py $(ARGS)

messages: .venv/.dev
	$(BIN)/python tools/messages.py

lock: .venv/.dev
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --group dev pyproject.toml -o requirements/dev.lock

.venv/.run: requirements/run.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

.venv/.dev: .venv/.run requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
