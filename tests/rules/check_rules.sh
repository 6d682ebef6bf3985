#!/usr/bin/env bash
# check_rules.sh ROOT: rules of the code base that a compiler does not enforce. Prints each violation as
# file:line: rule; exit 1 if there are any.
set -uo pipefail
cd "$1" || exit 2
report() {  # "file:line" and the rule
  echo "$1: $2"
}

# report_lines RULE: one violation per "file:line:text" on standard input.
report_lines() {
  local rule=$1 file line rest
  while IFS=: read -r file line rest; do
    report "$file:$line" "$rule"
  done
}

code_files() {  # of the given folders
  find "$@" -type f \( -name '*.h' -o -name '*.cpp' \) 2> /dev/null | sort
}

# Comments do not count: what remains of each line is printed behind "file:line:".
code_lines() {
  xargs -r awk '{ sub(/\/\/.*/, ""); print FILENAME ":" FNR ":" $0 }'
}

# What a room may include, lowest floor first (docs/architecture.md).
declare -A allowed=(
  [base]=""
  [spec]="base"
  [trace]="base"
  [timing]="base spec trace"
  [kernels]="base spec trace"
  [numerics]="base trace"
  [fabric]="base spec"
  [collectives]="base fabric spec"
  [lower]="base spec trace timing"
  [models]="base spec trace timing fabric collectives lower"
  [workload]="base spec trace fabric kernels collectives lower"
  [sim]="base spec trace timing fabric collectives lower workload"
  [analysis]="base spec trace fabric collectives lower sim"
  [report]="base spec trace fabric collectives lower workload sim analysis"
  [study]="base spec trace fabric kernels collectives lower workload sim analysis report"
  [cli]="base spec trace fabric kernels numerics collectives lower workload sim analysis report study"
)

check_includes_of() {  # room, its folders
  local room=$1 file line rest header other folder
  shift
  while IFS=: read -r file line rest; do
    [[ $rest =~ [\<\"]([^\>\"]+)[\>\"] ]] || continue
    header=${BASH_REMATCH[1]}
    if [[ $header == trnsim/* ]]; then
      other=${header#trnsim/}
      other=${other%%/*}
      [[ $other == "$room" || " ${allowed[$room]} " == *" $other "* ]] ||
        report "$file:$line" "room $room may not include from $other"
    elif [[ $rest == *\"* ]]; then
      folder=${file%/*}
      case $room in
        models) [[ -e $folder/$header || -e models/$header ]] && continue ;;
        sim) [[ -e $folder/$header || -e models/$header ]] && continue ;;
        *) [[ -e $folder/$header && $header != */* ]] && continue ;;
      esac
      report "$file:$line" "\"$header\" is no private header of room $room"
    fi
  done < <(code_files "$@" | code_lines | grep -E '^[^:]*:[0-9]*:[[:space:]]*#[[:space:]]*include')
}

check_rooms() {
  local folder room
  for folder in src/*/ include/trnsim/*/; do
    [[ -d $folder ]] || continue
    room=$(basename "$folder")
    if [[ -z ${allowed[$room]+known} ]]; then
      report "${folder%/}:1" "unknown room '$room': give it a floor in tests/rules/check_rules.sh"
    fi
  done
  for room in "${!allowed[@]}"; do
    if [[ $room == models ]]; then
      check_includes_of models models
    else
      check_includes_of "$room" "src/$room" "include/trnsim/$room"
    fi
  done
}

check_systemc() {
  code_files src include tests bench | grep -vE '^src/sim/|^tests/model/|^tests/support/' | code_lines |
    grep -E 'include[[:space:]]*[<"](systemc|sysc/|tlm)' |
    report_lines "SystemC belongs to models/ and src/sim/"
  code_files src include models | code_lines | grep -F '<systemc.h>' |
    report_lines "include <systemc>, not <systemc.h>"
  code_files models | code_lines |
    grep -E '\b(sc_signal|sc_clock|sc_fifo|sc_event_queue|sc_event_and_list|sc_spawn|SC_THREAD|SC_CTHREAD|peq_with_get|peq_with_cb_and_phase)\b|\bSC_REPORT_[A-Z]+|\bsc_get_curr_simcontext\b|(^|[^_[:alnum:].>])wait[[:space:]]*\(|static[[:space:]]+(sc_core::)?sc_' |
    report_lines "forbidden SystemC construct in a model (docs/architecture.md)"
  code_files models | grep -v '^models/agenda/' | code_lines | grep -E '\bnotify(_delayed)?[[:space:]]*\(|\.cancel[[:space:]]*\(|\bSC_METHOD\b|\bsc_event\b' |
    report_lines "wake-ups go through the agenda"
}

check_text() {
  code_files src include models tests bench | code_lines |
    grep -E '\b(exit|abort|_Exit|quick_exit)[[:space:]]*\(' | grep -E '^(src|include|models)/' |
    report_lines "throw instead of ending the process"
  code_files src include models | grep -vE '^src/(cli|report|base)/' | code_lines | grep -E 'std::(cout|cerr|clog)\b' |
    report_lines "only cli and report print"
  code_files include | code_lines | grep -E '\busing namespace\b' |
    report_lines "no using namespace in a header"
  all_files | xargs -r grep -nHE '\b(TODO|FIXME|XXX)\b' | report_lines "no open ends in the code"
  grep -nHE 'file\([[:space:]]*GLOB|FetchContent' CMakeLists.txt cmake/* src/*/CMakeLists.txt 2> /dev/null |
    report_lines "sources are listed, packages found"
}

all_files() {
  find src include models tests bench tools cmake configs .ci CMakeLists.txt -type f 2> /dev/null |
    grep -E '\.(h|cpp|proto|cmake|in|sh|py|yaml)$|CMakeLists\.txt$|^tools/[^.]*$|^\.ci/' |
    grep -vE '^tests/rules/|^tests/data/|^tools/.*\.pb2?\.py' | sort
}

check_files() {
  local file first lines
  while read -r file; do
    lines=$(wc -l < "$file")
    [[ $lines -le 500 ]] || report "$file:$lines" "more than 500 lines: split it"
    first=$(head -n 1 "$file")
    case $first in
      //* | '#'* | '"""'*) ;;
      *) report "$file:1" "the first line says what the file is" ;;
    esac
  done < <(all_files)
  while read -r file; do
    grep -q '^#pragma once' "$file" || report "$file:1" "a header starts with #pragma once"
  done < <(code_files src include models tests | grep '\.h$')
}

violations=$(check_rooms; check_systemc; check_text; check_files)
if [[ -n $violations ]]; then
  echo "$violations"
  echo "$(wc -l <<< "$violations") violations"
  exit 1
fi
