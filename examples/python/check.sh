#!/bin/sh
# What a user of the Python package meets: pip install in a new virtual environment, and the package's tests in there.
#
#   examples/python/check.sh    BUILD, PYTHON and CC are taken from the environment; the library in BUILD is there
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build} PYTHON=${PYTHON:-python3} CC=${CC:-cc}
unset PYTHONPATH PYTHONHOME
# Nothing may come from a network, and nothing that was built before.
export CC PIP_NO_INDEX=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The environment sees NumPy and pytest of the system; pip looks at nothing else.
new_environment() { "$PYTHON" -m venv --system-site-packages "$1"; }
failed() { echo "check.sh: $1" >&2; exit 1; }

"$PYTHON" -c 'import numpy, pytest, venv' 2>/dev/null ||
    failed "$PYTHON has no numpy, pytest or venv: on Debian install python3-numpy python3-pytest python3-venv, then make PYTHON=/usr/bin/python3"

# ----------------------------------------------------------- as most do it: an isolated build, here with the objects at hand
new_environment "$work/venv" || failed "no virtual environment"
files() { find examples/python ! -type d | LC_ALL=C sort; }
files >"$work/before"
B2S6_BUILD=$BUILD "$work/venv/bin/pip" install -q examples/python || failed "pip install"
files | diff "$work/before" - || failed "the build left files in examples/python"

# ---------------------------------------------- a tree with a space in its path, no isolation, everything compiled from there
mkdir "$work/a tree"
cp -R Makefile b2s6.h LICENSE README.md CHANGELOG.md src pkgconfig docs tests examples "$work/a tree"
new_environment "$work/a venv" || failed "no second virtual environment"
CFLAGS='-O0 -DB2S6_NO_ISAS' "$work/a venv/bin/python" -m pip install -q --no-build-isolation "$work/a tree/examples/python" ||
    failed "pip install --no-build-isolation from a path with a space"
(cd / && "$work/a venv/bin/python" -c 'import b2s6; b2s6.self_test()') || failed "the package from a path with a space"

# ----------------------------------------------------------------------- twice the same wheel, and nothing but the package
for i in 1 2; do
    B2S6_BUILD=$BUILD "$work/venv/bin/pip" wheel -q --no-deps -w "$work/wheel$i" examples/python || failed "pip wheel"
done
cmp "$work"/wheel1/*.whl "$work"/wheel2/*.whl || failed "two wheels of one tree differ"

B2S6_BUILD=$BUILD "$work/venv/bin/python" -m pytest -q -p no:cacheprovider -W error --strict-markers examples/python/tests \
    >"$work/tests" 2>&1
status=$?
cat "$work/tests"
grep -qE '[0-9]+ (skipped|xfailed|deselected)' "$work/tests" && failed "tests were skipped"
exit $status
