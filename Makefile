# Thin on purpose: the product's own command is `credit-gateway`.
# The distribution's Python where it will do: it is built with profiling, and a good third faster.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo python3)
PYTHON := $(PYTHON)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint bench soak image wheel clean FORCE

demo: $(READY)  ## the main job to its end, on sample data; KEEP=1 leaves it running
	$(BIN)/credit-gateway demo $(if $(KEEP),--keep)

test: $(READY)  ## everything that CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.tools
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: $(READY)  ## put the format right, then look for faults
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## the benchmark table, and bench.json
	$(BIN)/python -m tests.benchmarks

soak: $(READY)  ## 20 minutes of chaos, and SOAK times as many examples of the properties; ONLY=folder
	SOAK=$(or $(SOAK),50) $(BIN)/pytest -n 2 -m soak $(ONLY)

image: $(READY)  ## build the container image without a registry, and run it closed; needs root
	$(BIN)/python -m tests.tools image
	$(BIN)/pytest -m image tests/deploy/test_image.py

wheel: $(READY)  ## dist/*.whl, built by the locked hatchling, without the network
	$(BIN)/hatchling build --target wheel

$(READY): FORCE  ## .venv as requirements.lock says; nothing to do where it is so already
	@why=$$("$(PYTHON)" -c 'import pathlib' 2>&1) || { echo '建立环境失败：“$(PYTHON)”运行不了 Python 3：' \
		"$$(echo "$$why" | head -1)。" \
		'请安装 Python 3.11 及以上，或用 make PYTHON=… 指定。（set-up failed: “$(PYTHON)” runs no' \
		'Python 3; install 3.11 or later, or name it: make PYTHON=…）' >&2; exit 1; }
	@"$(PYTHON)" bootstrap.py

clean:
	rm -rf $(VENV) var dist
