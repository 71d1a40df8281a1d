# Needs Python 3.11 to 3.13 and make; everything else goes into .venv, in the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test soak bench lint clean

demo: $(READY)
	$(BIN)/fetalstream demo

# One test process more than there are cores, since many tests wait for processes and sockets; one thread in each.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)') --dist loadfile

# Hours of faults and damage; make test runs a few of each.
soak: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m soak -o log_cli=true --log-cli-level=INFO

bench: $(READY)
	$(BIN)/fetalstream bench

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

# The first line refuses a Python that is too old before pip does so in many words; --group needs a pip of 2025.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("fetalstream needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	@echo 'Building .venv: a few minutes, once'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --progress-bar off -c constraints.txt -e . --group dev
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
