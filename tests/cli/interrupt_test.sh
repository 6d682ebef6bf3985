#!/usr/bin/env bash
# Ctrl-C: exit 130, one line, no output and no temporary file.
source "$(dirname "$0")/lib.sh"

# k = 65536 still builds the kernel after a second, k = 8192 simulates.
for case in "INT 65536" "INT 8192" "TERM 8192"; do
  read -r signal k <<< "$case"
  command_line="a long run with k = $k, SIG$signal after a second"
  "$trnsim" run gemm --variant naive -m 65536 -n 65536 -k "$k" --system trn2-ultraserver \
    --json record.json --csv rows.csv --timeline timeline.json > out 2> err &
  pid=$!
  sleep 1
  kill "-$signal" $pid
  code=0
  wait $pid || code=$?
  [[ $code -eq 130 ]] || complain "exit code $code, not 130"
  out_is_empty
  err_is "trnsim: interrupted, nothing written"
  files=$(ls)
  [[ $files == $'err\nout' ]] || complain "left behind: $files"
done
finish
