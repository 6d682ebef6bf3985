#!/usr/bin/env bash
# Input files that are missing or damaged, output places that cannot be written.
source "$(dirname "$0")/lib.sh"

run 2 run nothere.trt
out_is_empty
err_is "trnsim: nothere.trt: cannot be read: No such file or directory"
run 2 trace info nothere.jsonl
err_has "nothere.jsonl: cannot be read"
run 2 run README.txt
err_has "is neither a kernel nor a .trt, .jsonl or .yaml file"

run 0 trace gen gemm -m 256 -n 256 -k 256 -o good.trt
out_is_empty
run 0 trace info good.trt
out_has "instructions"
run 0 trace info good.trt --json -
mv out info.json
[[ $(json info.json instructions) -gt 0 ]] || complain "no instructions"
run 0 run good.trt
out_has "on trn2-core: 1 chip, 1 core (1 used)"

size=$(stat -c %s good.trt)
for kept in 0 1 10 $((size / 2)) $((size - 1)); do
  head -c "$kept" good.trt > cut.trt
  run 2 run cut.trt
  out_is_empty
  err_has "trnsim: cut.trt: "
  err_is_one_line
done
head -c $((size / 2)) good.trt > cut.trt
run 2 trace info cut.trt
err_has "truncated"

# Text form and back: the same bytes.
run 0 trace dump good.trt -o good.jsonl
run 0 trace load good.jsonl -o again.trt
cmp -s good.trt again.trt || complain "dump and load changed the trace"
run 0 run good.jsonl -q --json a.json
run 0 run again.trt -q --json b.json
diff <(grep -v wall_seconds a.json) <(grep -v wall_seconds b.json) || complain "the two forms differ"
sed '3s/{/{"bogus":1,/' good.jsonl > bad.jsonl
run 2 run bad.jsonl
err_has "bad.jsonl:3"
run 2 trace load good.jsonl -o good.bin
err_has "must end in .trt"

# Nothing is simulated for an output that cannot be written. As root no folder is read-only but /proc.
small="-m 128 -n 128 -k 128"
for option in --json --csv --timeline; do
  run 2 run gemm $small $option /nonexistent/x
  out_is_empty
  err_has "/nonexistent/x: cannot be written: folder '/nonexistent' does not exist"
  run 2 run gemm $small $option /proc/x
  err_has "/proc/x: cannot be written"
  run 2 run gemm $small $option .
  err_has "is a folder, not a file"
done
run 2 trace gen gemm $small -o /proc/x.trt
err_has "/proc/x.trt: "
run 2 describe trn2-core --json /proc/x
err_has "/proc/x: cannot be written"
if [[ $(id -u) -ne 0 ]]; then
  mkdir -m 555 locked
  run 2 run gemm $small --json locked/x.json
  out_is_empty
  err_has "locked/x.json: cannot be written"
fi

# A full standard output is an error, not a success.
command_line="describe trn2-core > /dev/full"
: > out
code=0
"$trnsim" describe trn2-core > /dev/full 2> err || code=$?
[[ $code -eq 2 ]] || complain "exit code $code, not 2"

leftovers=$(find . -name '*.tmp')
[[ -z $leftovers ]] || complain "left behind: $leftovers"
finish
