# Needs Python 3.11 to 3.13 and make; everything else goes into .venv, in the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check soak bench lint docs release clean

demo: $(READY)
	$(BIN)/fetalstream demo

# One test process more than there are cores, since many tests wait for processes and sockets; one thread in each.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)') --dist loadfile

# Minutes: a few of everything.
test: lint
	$(PYTEST)

# At most 45 minutes: the tests of make test again, with the many seeds, spoiled files and large models of which it runs
# a few. How much of the code is run in the test processes is counted, and must not fall below pyproject.toml's floor.
check: $(READY)
	$(PYTEST) -m 'not gpu and not soak' --cov --cov-report=term:skip-covered

# Hours of faults and damage, one test at a time, since many of them measure how soon something is noticed.
soak: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m soak -o log_cli=true --log-cli-level=INFO

bench: $(READY)
	$(BIN)/fetalstream bench

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

# What follows from the code is written anew, then the site goes into build/site: offline, and a broken link fails.
docs: $(READY)
	$(BIN)/python -m docs.generate
	$(BIN)/sphinx-build -q -W --keep-going -b html -d build/doctrees docs build/site
	@echo 'Open build/site/index.html'

# Wheel and sdist into dist/, checked, and tried in a clean environment; make release FULL=1 installs all it needs anew.
release: $(READY)
	.ci/release $(if $(FULL),--full)

# The first line refuses a Python that is too old before pip does so in many words; --group needs a pip of 2025.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("fetalstream needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	@echo 'Building .venv: a few minutes, once'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --progress-bar off -c constraints.txt -e . --group dev
	@touch $@
	@echo 'Ready: $(BIN)/fetalstream --help'

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .coverage
