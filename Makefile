# Two commands for a newcomer: `make run` and `make test`. Everything lives in .venv.
PYTHON ?= python3
BIN := .venv/bin
.PHONY: run test test-work test-clocks test-alone check fix bench conformance messages lock clean

run: .venv/.run
	$(BIN)/rostra demo

# What lives in real time mostly waits, so what computes fills the time beside it, and gives way to it for a core.
# Then what hears pauses or measures time (`alone`) has the machine to itself. With ARGS: only that.
test: .venv/.dev
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(MAKE) --jobs 2 test-work test-clocks
	$(MAKE) test-alone
endif

# What has failed is tried once more by itself. Each part remembers its own failures.
PYTEST = $(BIN)/python -m pytest -o cache_dir=.pytest_cache/$@
AGAIN = --last-failed --last-failed-no-failures none
BESIDE := --numprocesses 2 --dist loadfile --durations 15 -m "not alone"
WORK := tests/simulation tests/unit tests/contract
CLOCKS := tests/conformance tests/e2e tests/chaos

test-work: .venv/.dev
	nice $(PYTEST) $(BESIDE) $(WORK) || $(PYTEST) $(AGAIN) $(WORK)

test-clocks: .venv/.dev
	$(PYTEST) $(BESIDE) $(CLOCKS) || $(PYTEST) $(AGAIN) $(CLOCKS)

test-alone: .venv/.dev
	$(PYTEST) --durations 15 -m alone $(CLOCKS) || $(PYTEST) $(AGAIN) $(CLOCKS)

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
