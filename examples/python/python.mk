# The Python package: included by the Makefile.
#
#   make python-check    builds the wheel, installs it into new virtual environments without a network, runs its tests
#
# Wants Debian's python3-venv, python3-numpy and python3-pytest.

python-check: $(BUILD)/libb2s6.so $(BUILD)/b2s6
	@BUILD='$(BUILD)' PYTHON='$(PYTHON)' CC='$(CC)' examples/python/check.sh

.PHONY: python-check
