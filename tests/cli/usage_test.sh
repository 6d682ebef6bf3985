#!/usr/bin/env bash
# Help goes to stdout with exit 0; wrong words and options get one line on stderr, a hint, and exit 2.
source "$(dirname "$0")/lib.sh"

run 2
out_is_empty
err_has "usage: trnsim COMMAND [options]"

for help in --help -h help; do
  run 0 "$help"
  out_has "usage: trnsim COMMAND [options]"
  out_has "Exit codes: 0 fine, 1 a check failed, 2 the input is wrong, 3 a bug of ours."
  err_is_empty
done

for command in run "run gemm" "run attention" "run x.trt" describe trace "trace info" "trace dump" \
  "trace load" "trace gen" "trace gen gemm" "trace gen attention" validate version; do
  for help in --help -h; do
    run 0 $command $help
    err_is_empty
    [[ $command == "trace gen" ]] || out_has "Example"
    wide=$(grep -v '^Example: ' out | awk 'length($0) > 80')
    [[ -z $wide ]] || complain "over 80 columns: $wide"
  done
done

for spelling in version --version; do
  run 0 "$spelling"
  out_has "trnsim 0."
  out_has "SystemC 2.3"
  err_is_empty
done

wrong() {  # expected line, arguments
  local line=$1
  shift
  run 2 "$@"
  out_is_empty
  err_is "trnsim: $line"
}

wrong "unknown command 'rum'; did you mean 'run'?" rum
wrong "unknown command 'simulate'; see 'trnsim --help'" simulate
wrong "unknown option '--sytem'; did you mean '--system'?" run gemm --sytem trn2-core
wrong "unknown option '--jsno=x'; did you mean '--json'?" describe trn2-core --jsno=x
wrong "unknown argument 'extra'; see 'trnsim run gemm --help'" run gemm extra
wrong "unknown option '--frobnicate'; see 'trnsim version --help'" version --frobnicate
wrong "unknown action 'inf' of 'trnsim trace'; did you mean 'info'?" trace inf
wrong "unknown system 'trn2-cor'; did you mean 'trn2-core'?" run gemm --system trn2-cor
wrong "unknown system 'trn2.48xlarg'; did you mean 'trn2.48xlarge'?" describe trn2.48xlarg
wrong "variant 'bset' does not exist; did you mean 'best'?" run gemm --variant bset
wrong "dtype 'bflot16' does not exist; did you mean 'bfloat16'?" run gemm --dtype bflot16
wrong "no system given; see the names with 'trnsim describe --list'" describe

run 2 run
err_has "nothing to run; name a kernel, a trace or a workload file"
run 2 run gem
err_has "did you mean 'gemm'?"
run 2 run atention
err_has "did you mean 'attention'?"
run 2 run gemm --system trn9
err_has "use a YAML file or one of inf2.48xlarge, trn1.2xlarge"
run 2 trace
err_has "needs one of info, dump, load, gen"
run 2 trace gen gem
err_has "did you mean 'gemm'?"
run 2 trace gen gemm
err_has "--output is required"
run 2 trace info
err_has "file is required"

for bad in 0 -4 1e3 99999999999 four; do
  run 2 run gemm -m $bad
  out_is_empty
  err_is_one_line
done
run 2 run gemm --order windo:3
err_has "program, compiled or window:"
run 2 run gemm --engines fastest
err_has "rule or balance"
run 2 run gemm --alloc lifo
err_has "rotate, first-fit, unlimited or depth"
run 2 run gemm --timeline t.json --timeline-cores 5
err_has "trn2-core has cores 0..0, not 5"
missing t.json
run 2 run gemm --json
err_has "--json"

finish
