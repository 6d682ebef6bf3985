#!/usr/bin/env bash
# CSV and timeline outputs.
source "$(dirname "$0")/lib.sh"

run 0 run gemm -m 512 -n 512 -k 512 --csv rows.csv --timeline timeline.json
err_has "timeline in timeline.json: open it at ui.perfetto.dev"
[[ $(wc -l < rows.csv) -eq 2 ]] || complain "one header and one row expected"
[[ $(head -n 1 rows.csv) == system,chips,cores,* ]] || complain "CSV header"
[[ $(tail -n 1 rows.csv) == trn2-core,1,1,1,* ]] || complain "CSV row"
# Commas inside quotes do not separate.
counts=$(sed 's/"[^"]*"/q/g' rows.csv | awk -F, '{ print NF }' | sort -u | wc -l)
[[ $counts -eq 1 ]] || complain "rows and header have different numbers of fields"
run 0 run gemm -m 512 -n 512 -k 512 --csv -
diff -q out rows.csv > /dev/null || complain "--csv - differs from the file"

[[ $(json timeline.json traceEvents.#) -gt 20 ]] || complain "few events"
# One track per engine that worked: thread_name metadata without repetition.
for engine in Tensor Vector Scalar GpSimd Sync; do
  named=$(grep -c "\"thread_name\".*\"name\":\"$engine\"}" timeline.json)
  [[ $named -eq 1 ]] || complain "$named tracks named $engine"
done
# Slices: start at or after ready, inside the run.
run 0 run gemm -m 512 -n 512 -k 512 --json record.json -q
sed -nE 's/.*"ts":([0-9.]+),"dur":([0-9.]+),"args":\{"ready_us":([0-9.]+).*/\1 \2 \3/p' timeline.json |
  awk -v end="$(json record.json time_us)" '
    $1 < $3 - 1e-6 || $1 + $2 > end + 1e-6 { bad = 1 } END { exit bad || NR < 20 }' ||
  complain "slices before they are ready or after the end"
# The same bytes twice, and several cores.
cp timeline.json first.json
run 0 run gemm -m 512 -n 512 -k 512 -q --timeline timeline.json
err_is_empty
cmp -s first.json timeline.json || complain "two timelines differ"
run 0 run gemm -m 4096 -n 4096 -k 512 --system trn2.3xlarge -q --timeline two.json --timeline-cores 0,1
[[ $(grep -c '"process_name"' two.json) -eq 2 ]] || complain "not two processes"
finish
