#!/usr/bin/env bash
# The JSON record: its keys, its arithmetic, and the same bytes for the same input.
source "$(dirname "$0")/lib.sh"

keys="schema system.name system.chips system.cores config_hash time_us flops achieved_pflops
  peak_pflops.model peak_pflops.published mfu hbm.read_bytes hbm.write_bytes hbm.bandwidth_GBps
  hbm.utilization instructions wall_seconds workload.kernel"
for engine in tensor vector scalar gpsimd sync; do
  keys+=" engines.$engine.busy_us engines.$engine.busy_fraction engines.$engine.instructions"
done

gemm="gemm -m 512 -n 512 -k 512"
attention="attention --batch 1 --heads 2 --seq 512 --head-dim 128 --causal"
for kernel in "$gemm" "$attention"; do
  run 0 run $kernel --json record.json
  out_has "time"
  for key in $keys; do
    [[ -n $(json record.json $key) ]] || complain "empty $key"
  done
  cp record.json first.json
  run 0 run $kernel --json record.json -q
  out_is_empty
  diff <(grep -v wall_seconds first.json) <(grep -v wall_seconds record.json) > /dev/null ||
    complain "two runs differ"
  run 0 run $kernel --json -
  err_is_empty
  diff <(grep -v wall_seconds first.json) <(grep -v wall_seconds out) > /dev/null ||
    complain "--json - differs from the file"
done

run 0 run $gemm --json record.json -q
[[ $(json record.json schema) == trnsim.run/1 ]] || complain "schema"
[[ $(json record.json system.name) == trn2-core ]] || complain "system.name"
[[ $(json record.json system.cores) == 1 ]] || complain "system.cores"
[[ $(json record.json config_hash) =~ ^[0-9a-f]{40}$ ]] || complain "config_hash is no SHA-1"
# 2 x 512 x 512 x 512 = 268435456 FLOPs; A, B read at least once: 2 x 512 x 512 x 2 B, C written once.
[[ $(json record.json flops) == 268435456* ]] || complain "flops"
[[ $(json record.json hbm.read_bytes) -ge 1048576 ]] || complain "hbm.read_bytes"
[[ $(json record.json hbm.write_bytes) -eq 524288 ]] || complain "hbm.write_bytes"
# time x rate = work; mfu x peak = achieved.
awk -v t="$(json record.json time_us)" -v f="$(json record.json flops)" \
  -v a="$(json record.json achieved_pflops)" -v p="$(json record.json peak_pflops.model)" \
  -v m="$(json record.json mfu)" -v r="$(json record.json hbm.read_bytes)" \
  -v w="$(json record.json hbm.write_bytes)" -v b="$(json record.json hbm.bandwidth_GBps)" '
  function near(x, y) { return x > y * 0.999999 && x < y * 1.000001 }
  BEGIN { exit !(near(f / t * 1e-9, a) && near(a / p, m) && near((r + w) / t * 1e-3, b)) }' ||
  complain "the figures contradict each other"

# Every system runs, says how large it is, and its text fits 80 columns.
while read -r name; do
  run 0 run $gemm --system "$name" --json record.json
  [[ $(json record.json system.name) == "$name" ]] || complain "system.name is not $name"
  [[ $(json record.json system.chips) -ge 1 ]] || complain "no chips"
  wide=$(awk 'length($0) > 80' out)
  [[ -z $wide ]] || complain "over 80 columns: $wide"
  run 0 run $attention --system "$name"
  wide=$(awk 'length($0) > 80' out)
  [[ -z $wide ]] || complain "over 80 columns: $wide"
done < <("$trnsim" describe --list | grep -oE '^ *(trn|inf)[^ ]+')
finish
