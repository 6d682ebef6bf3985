#!/usr/bin/env bash
# trnsim run GRAPH: typos with their place, outputs, folded and all.
source "$(dirname "$0")/lib.sh"

cat > graph.yaml <<'YAML'
name: two products and a sum
system: trn2.48xlarge
rank: chip
nodes:
  - {name: a, kernel: gemm, m: 256, n: 512, k: 256}
  - {name: sum, collective: all_reduce, bytes: 1 MiB, after: [a], algorithm: ring}
  - {name: b, kernel: gemm, m: 256, n: 512, k: 256, after: [sum]}
YAML

run 0 run graph.yaml --help
out_has "run GRAPH.yaml"
run 0 run graph.yaml --json folded.json --timeline t.json
out_has "two products and a sum"
out_has "on trn2.48xlarge: 16 ranks of 8 cores, flow network, 1 of 16 chips simulated"
out_has "exposed communication"
err_is "timeline in t.json: open it at ui.perfetto.dev"
check "timeline" [ "$(json t.json traceEvents.0.ph)" = M ]

run 0 run graph.yaml --cores all --json all.json -q
out_is_empty
check "all chips" [ "$(json all.json simulated_chips)" = 16 ]
check "folded" [ "$(json folded.json simulated_chips)" = 1 ]
for key in time_us rank_time_us.compute kernel_hbm_bytes nodes.2.last_end_us; do
  a=$(json all.json $key)
  b=$(json folded.json $key)
  awk -v a="$a" -v b="$b" 'BEGIN { exit !(a > 0 && a - b < 1e-6 * a && b - a < 1e-6 * a) }' ||
    complain "$key: all $a, folded $b"
done
run 0 run graph.yaml --json -
mv out again.json
diff <(grep -v wall_seconds folded.json) <(grep -v wall_seconds again.json) > /dev/null ||
  complain "the same run twice differs"

# Packets on their way end equal steps a little apart: all chips.
for network in analytic packet; do
  run 0 run graph.yaml --network $network --cores all --json -
  mv out $network.json
  check "network" [ "$(json $network.json network)" = $network ]
done
run 2 run graph.yaml --network flows
out_is_empty
err_is_one_line
run 2 run graph.yaml --cores some
out_is_empty
err_is_one_line
run 2 run graph.yaml --csv x.csv
err_is "trnsim: --csv is for kernels; a graph has --json"
run 2 run graph.yaml --json /nonexistent/x
out_is_empty
err_has "/nonexistent/x: cannot be written: folder '/nonexistent' does not exist"
run 2 run graph.yaml --timeline /proc/x
err_has "/proc/x: cannot be written"

# The file's system is a default.
sed 's/ring/rdh/' graph.yaml > rdh.yaml
run 0 run rdh.yaml --system trn2-ultraserver --json - --set fabric.collective_setup_us=9
mv out ultra.json
check "system" [ "$(json ultra.json system)" = trn2-ultraserver ]
check "ranks" [ "$(json ultra.json ranks)" = 64 ]

typo() {  # sed expression, expected line
  sed "$1" graph.yaml > typo.yaml
  run 2 run typo.yaml
  out_is_empty
  err_has "typo.yaml:$2"
}
typo '6s/bytes/byts/' "6:41: "
err_has "did you mean 'bytes'?"
err_has "typo.yaml:6:5: 'bytes' is missing in node 'sum'"
typo '5s/m: 256/mm: 256/' "5:29: "
typo '6s/all_reduce/all_reduc/' "6:29: "
err_has "did you mean 'all_reduce'?"
typo '6s/ring/rong/' "6:"
err_has "did you mean 'ring'?"
typo '7s/\[sum\]/[sun]/' "7:"
err_has "sun"
typo '5s/gemm/gem/' "5:23: "
err_has "did you mean 'gemm'?"
typo '3s/chip/chop/' "3:7: "
typo '1s/name/nmae/' "1:1: "
typo '6s/1 MiB/1 MiP/' "6:"
typo '6s/after/groups: 0-16, after/' "6:"

run 2 run nothere.yaml
out_is_empty
err_is "trnsim: nothere.yaml: cannot be read: No such file or directory"
printf 'nodes: [\n' > broken.yaml
run 2 run broken.yaml
out_is_empty
err_is_one_line
err_has "broken.yaml:"

# Ranks that are not done at the same time cannot be folded; the message says what to do, and it works.
cat > cast.yaml <<'YAML'
name: broadcast and a product
system: trn2.48xlarge
rank: chip
nodes:
  - {name: cast, collective: broadcast, bytes: 4 MiB, algorithm: ring}
  - {name: a, kernel: gemm, m: 256, n: 512, k: 256, after: [cast]}
YAML
run 2 run cast.yaml
out_is_empty
err_has "cores: folded does not hold here"
err_has "run it with --cores all"
run 0 run cast.yaml --cores all
out_has "broadcast and a product"

leftovers=$(find . -name '*.tmp')
[[ -z $leftovers ]] || complain "left behind: $leftovers"
finish
