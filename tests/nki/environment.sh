#!/usr/bin/env bash
# environment.sh ROOT VENV: makes the Python environment of the nki tests with the launcher itself, and adds what
# only tests need. Quick when it is there already.
set -uo pipefail
root=$1
venv=$2
export TRNSIM_NKI_VENV=$venv
"$root/tools/trnsim-nki" --help > /dev/null || exit 1
"$venv/bin/python" -P -c 'import sys, trnsim_nki; sys.exit(not trnsim_nki.__file__.startswith(sys.argv[1]))' \
  "$root/" || {
  echo "$venv is the environment of another checkout; remove it"
  exit 1
}
cmp -s "$root/tools/nki/pyproject.toml" "$venv/test-stamp" && exit 0
log=$venv/test-install.log
"$venv/bin/pip" install --disable-pip-version-check -e "$root/tools/nki[test]" > "$log" 2>&1 || {
  tail -n 20 "$log"
  echo "pytest could not be installed; the nki tests need the Python package index (ctest -LE nki leaves them out)"
  exit 1
}
cp "$root/tools/nki/pyproject.toml" "$venv/test-stamp"
