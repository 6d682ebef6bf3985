#!/usr/bin/env bash
# trnsim collective: wrong input gets one line and a hint, outputs parse, measured times stand beside.
source "$(dirname "$0")/lib.sh"

small="-b 1M -e 1M --rank chip"

run 0 collective --help
out_has "Example: trnsim collective"
err_is_empty
wide=$(grep -v '^Example: ' out | awk 'length($0) > 80')
[[ -z $wide ]] || complain "over 80 columns: $wide"

wrong() {  # expected line, arguments
  local line=$1
  shift
  run 2 collective "$@"
  out_is_empty
  err_is "trnsim: $line"
}

run 2 collective all_reduc
out_is_empty
err_is_one_line
err_has "did you mean 'all_reduce'?"
run 2 collective all_reduce --algorithm rdhh
out_is_empty
err_is_one_line
err_has "did you mean 'rdh'?"
run 2 collective all_to_all $small --algorithm ring
out_is_empty
err_is_one_line
err_has "all_to_all has no algorithm ring; use direct"
run 2 collective all_reduce --system trn2.48xlarg
err_has "did you mean 'trn2.48xlarge'?"
for bad in 1.5K K -1 0 7X 1KKB four 99999999999999999999 1024iB; do
  wrong "--min-bytes: '$bad' is not a size; e.g. 65536, 64K or 1G" all_reduce --min-bytes=$bad
done
wrong "--max-bytes: '1e9' is not a size; e.g. 65536, 64K or 1G" all_reduce -e 1e9
wrong "--min-bytes 2M is above --max-bytes 1M" all_reduce -b 2M -e 1M
wrong "--rank: 'chips' is none of core, logical_core, chip; did you mean 'chip'?" all_reduce --rank chips
wrong "--network: 'flows' is none of analytic, flow, packet; did you mean 'flow'?" all_reduce --network flows
wrong "--space: 'dram' is none of hbm, sbuf" all_reduce --space dram
run 2 collective all_reduce --factor 1
err_is_one_line
err_has "--factor"
run 2 collective all_reduce --rank chip --ranks 17
out_is_empty
err_is_one_line
err_has "17"
err_has "16"
run 2 collective all_reduce --rank chip --groups "0-3;4-16"
out_is_empty
err_is_one_line
err_has "16"
run 2 collective all_reduce --rank chip --groups "chips:16"
err_is_one_line
err_has "16"
run 2 collective all_reduce --rank chip --groups "0,1;1,2"
err_is_one_line
err_has "rank 1"
run 2 collective all_reduce --rank chip --groups "0-1;2-5"
err_is_one_line
run 2 collective all_reduce --rank chip --groups "a-b"
err_is_one_line

# Nothing is simulated for an output that cannot be written.
for option in --json --csv; do
  run 2 collective all_reduce $small $option /nonexistent/x
  out_is_empty
  err_has "/nonexistent/x: cannot be written: folder '/nonexistent' does not exist"
  run 2 collective all_reduce $small $option /proc/x
  out_is_empty
  err_has "/proc/x: cannot be written"
done

# Three sizes, in the three forms.
run 0 collective all_gather --rank chip -b 1M -e 16M --json sweep.json --csv sweep.csv
out_has "all_gather over 16 ranks on trn2.48xlarge"
out_has "1 MiB"
out_has "16 MiB"
check "points in JSON" [ "$(json sweep.json points.2.bytes)" = 16777216 ]
check "network" [ "$(json sweep.json network)" = flow ]
check "lines in CSV" [ "$(wc -l < sweep.csv)" -eq 4 ]
run 0 collective all_gather --rank chip -b 1M -e 16M --json -
mv out again.json
diff sweep.json again.json > /dev/null || complain "the same sweep twice differs"
run 0 collective all_gather --rank chip -b 1M -e 16M --csv -
diff out sweep.csv > /dev/null || complain "CSV on standard output differs"
run 0 collective all_gather $small -q
out_is_empty

# The other networks; nothing is contended, so times are close.
for network in analytic packet; do
  run 0 collective all_reduce $small --algorithm rdh --network $network --json -
  mv out $network.json
  check "network" [ "$(json $network.json network)" = $network ]
done
run 0 collective all_reduce $small --algorithm rdh --json -
mv out flow.json
flow=$(json flow.json points.0.time_us)
for network in analytic packet; do
  other=$(json $network.json points.0.time_us)
  awk -v a="$flow" -v b="$other" 'BEGIN { exit !(b > 0.95 * a && b < 1.1 * a) }' ||
    complain "$network takes $other us, flow $flow"
done

# What a user measured.
printf '    size(B)    count(elems)    type    time:avg(us)    algbw(GB/s)    busbw(GB/s)\n' > nccom.txt
printf '    1048576          262144    fp32           100.0           10.0           20.0\n' >> nccom.txt
printf '    4194304         1048576    fp32           200.0           20.0           40.0\n' >> nccom.txt
run 0 collective all_reduce --rank chip --compare nccom.txt --json compared.json
out_has "measured us  ratio"
out_has "mean error"
check "two sizes" [ "$(json compared.json points.1.bytes)" = 4194304 ]
check "measured" [ "$(json compared.json points.1.measured_us)" = 200.0 ]
printf 'size,time\n1024,fast\n' > bad.csv
run 2 collective all_reduce --compare bad.csv
out_is_empty
err_is "trnsim: bad.csv:2:1: 'fast' is not a number above zero"
run 2 collective all_reduce --compare nothere.csv
err_is "trnsim: nothere.csv: cannot be read: No such file or directory"

leftovers=$(find . -name '*.tmp')
[[ -z $leftovers ]] || complain "left behind: $leftovers"
finish
