# Sourced by each test of the program: runs it in a folder of its own and compares what it says.
#   run CODE ARGUMENTS...   runs trnsim, expects the exit code; output in files `out` and `err`
#   out_has / err_has TEXT  the output contains TEXT
#   out_lacks TEXT, out_is_empty, err_is_empty, err_is LINE
#   finish                  exit code of the test
set -uo pipefail
trnsim=$1
source_dir=$2
cmake=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset TRNSIM_CONFIG_DIR
export ASAN_OPTIONS=${ASAN_OPTIONS:-}
failures=0
command_line=""

complain() {
  failures=$((failures + 1))
  echo "FAILED: trnsim $command_line"
  echo "  $1"
  echo "  stdout: $(head -c 600 out)"
  echo "  stderr: $(head -c 600 err)"
}

run() {
  local expected=$1 code=0
  shift
  command_line="$*"
  "$trnsim" "$@" > out 2> err < /dev/null || code=$?
  [[ $code -eq $expected ]] || complain "exit code $code, not $expected"
}

out_has() { grep -qF -- "$1" out || complain "stdout lacks: $1"; }
err_has() { grep -qF -- "$1" err || complain "stderr lacks: $1"; }
out_lacks() { ! grep -qF -- "$1" out || complain "stdout has: $1"; }
out_is_empty() { [[ ! -s out ]] || complain "stdout is not empty"; }
err_is_empty() { [[ ! -s err ]] || complain "stderr is not empty"; }
err_is() { [[ $(cat err) == "$1" ]] || complain "stderr is not: $1"; }
err_is_one_line() { [[ $(wc -l < err) -eq 1 ]] || complain "stderr has not one line"; }
missing() { [[ ! -e $1 ]] || complain "$1 exists"; }

# json FILE PATH: the value at a.b.0.c; empty and a complaint when it is not there.
json() {
  local value
  if value=$("$cmake" -DFILE="$1" -DKEY="$2" -P "$source_dir/tests/cli/json_get.cmake" 2>&1); then
    sed -n 's/^-- //p' <<< "$value"
  else
    complain "$1 has no '$2': $value" >&2
    return 1
  fi
}

check() {  # description, then a condition as [[ ]] takes it in a string for bash -c-free evaluation
  local what=$1
  shift
  "$@" || complain "$what"
}

finish() {
  [[ $failures -eq 0 ]] || echo "$failures failures"
  exit $((failures > 0))
}
