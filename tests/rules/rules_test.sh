#!/usr/bin/env bash
# Each rule of check_rules.sh is seen to fire, on a small tree with one violation of each.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect RULE FILE LINE...: a tree with this one file gives exactly this violation.
expect() {
  local rule=$1 file=$2 output
  shift 2
  rm -rf "$work/tree"
  mkdir -p "$work/tree/$(dirname "$file")"
  printf '%s\n' "$@" > "$work/tree/$file"
  output=$(bash "$here/check_rules.sh" "$work/tree") || true
  if [[ $output != "$file:"*": $rule"*$'\n'"1 violations" && $output != "${file%/*}:1: $rule"* ]]; then
    echo "expected one '$rule' in $file, got: $output"
    failures=$((failures + 1))
  fi
}

# accept FILE LINE...: no violation.
accept() {
  local file=$1 output
  shift
  rm -rf "$work/tree"
  mkdir -p "$work/tree/$(dirname "$file")"
  printf '%s\n' "$@" > "$work/tree/$file"
  output=$(bash "$here/check_rules.sh" "$work/tree") || true
  if [[ -n $output ]]; then
    echo "expected nothing in $file, got: $output"
    failures=$((failures + 1))
  fi
}

expect "SystemC belongs to" src/lower/a.cpp "// A." "#include <systemc>"
accept src/sim/a.cpp "// A." "#include <systemc>"
expect "include <systemc>, not" src/sim/a.cpp "// A." "#include <systemc.h>"
expect "forbidden SystemC" models/engine/a.cpp "// A." "sc_core::sc_signal<bool> busy;"
expect "forbidden SystemC" models/engine/a.cpp "// A." "SC_THREAD(run);"
expect "forbidden SystemC" models/engine/a.cpp "// A." "  wait(time);"
expect "forbidden SystemC" models/engine/a.cpp "// A." "SC_REPORT_FATAL(a, b);"
accept models/engine/a.cpp "// wait(time) is not used." "void num_wait(int);"
expect "wake-ups go through" models/engine/a.cpp "// A." "done_.notify(time);"
accept models/agenda/a.cpp "// A." "event_.notify(time);"
expect "room spec may not include from trace" src/spec/a.cpp "// A." '#include "trnsim/trace/ir.h"'
expect "room kernels may not include from timing" include/trnsim/kernels/a.h "// A." "#pragma once" \
  '#include "trnsim/timing/shape.h"'
expect "room lower may not include from sim" src/lower/a.cpp "// A." '  #  include "trnsim/sim/simulate.h"'
expect "room models may not include from report" models/hbm/a.cpp "// A." '#include "trnsim/report/json.h"'
accept src/report/a.cpp "// A." '#include "trnsim/analysis/metrics.h"'
expect '"../spec/value.h" is no private' src/lower/a.cpp "// A." '#include "../spec/value.h"'
expect "unknown room" src/elsewhere/a.cpp "// A."
expect "throw instead" src/base/a.cpp "// A." "std::exit(1);"
expect "only cli and report" src/lower/a.cpp "// A." 'std::cout << 1;'
expect "no using namespace" include/trnsim/base/a.h "// A." "#pragma once" "using namespace std;"
expect "no open ends" src/base/a.cpp "// A." "// TODO: later"
expect "more than 500" src/base/a.cpp "// A." "$(yes 'int a;' | head -n 500)"
accept src/base/a.cpp "// A." "$(yes 'int a;' | head -n 499)"
expect "the first line says" src/base/a.cpp "int a;"
expect "a header starts with" src/base/a.h "// A."
expect "sources are listed" CMakeLists.txt "# A." "file(GLOB sources *.cpp)"
[[ $failures -eq 0 ]]
