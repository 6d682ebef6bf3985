#!/usr/bin/env bash
# Mistakes in system files and in --set name the place, the value and the nearest right name.
source "$(dirname "$0")/lib.sh"

cat > typo.yaml <<'YAML'
base: trn2-core
chip:
  core:
    tensor:
      clok_ghz: 2.0
  hbm:
    peak_GBps_per_stack: fast
YAML
run 2 describe typo.yaml
out_is_empty
err_has "typo.yaml:5:7: unknown key 'clok_ghz' in chip.core.tensor; did you mean 'clock_ghz'?"
err_has "typo.yaml:7:26: "
run 2 run gemm --system typo.yaml
out_is_empty
err_has "typo.yaml:5:7: "

printf 'base: trn2-core\nlnc: [1\n' > broken.yaml
run 2 describe broken.yaml
err_has "broken.yaml:"
run 2 describe nothere.yaml
err_has "nothere.yaml: does not exist"
printf 'base: trn2-cor\n' > nobase.yaml
run 2 describe nobase.yaml
err_has "nobase.yaml:1:7: "
: > empty.yaml
run 2 describe empty.yaml
err_has "empty.yaml"

run 2 describe trn2-core --set lnc
err_has "--set lnc: is not of the form a.b.c=value"
run 2 describe trn2-core --set lnc=7
err_has "--set lnc=7: 'lnc' is out of range: 7; 1 to 2"
run 2 describe trn2-core --set lnc=two
err_has "--set lnc=two"
run 2 run gemm --set chip.core.tensor.clok_ghz=2
out_is_empty
err_has "--set chip.core.tensor.clok_ghz=2: unknown key 'clok_ghz' in chip.core.tensor; did you mean 'clock_ghz'?"
run 2 describe trn2-core --set lnc=3 --set chip.core.tensor.clock_ghz=nan
err_has "--set lnc=3"
err_has "--set chip.core.tensor.clock_ghz=nan"

# A good override changes the result and the hash.
run 0 run gemm -m 512 -n 512 -k 512 -q --json slow.json --set chip.core.tensor.clock_ghz=1.2
run 0 run gemm -m 512 -n 512 -k 512 -q --json fast.json
[[ $(json slow.json config_hash) != "$(json fast.json config_hash)" ]] || complain "same config_hash"
[[ $(json slow.json peak_pflops.model) != "$(json fast.json peak_pflops.model)" ]] ||
  complain "same peak"

TRNSIM_CONFIG_DIR=$work run 2 describe trn2-core
err_has "TRNSIM_CONFIG_DIR has no folder 'systems'"

finish
