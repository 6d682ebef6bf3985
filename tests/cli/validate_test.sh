#!/usr/bin/env bash
# trnsim validate: two tiny cases end to end, exit codes, filters, files, and mistakes with their place.
source "$(dirname "$0")/lib.sh"

# GEMM of 128 cubed: measured times that are what the model says, and twice that.
run 0 run gemm -m 128 -n 128 -k 128 -q --json -
kernel_us=$(json out time_us)
cases() {  # factor of the second case
  cat > cases.yaml << END
version: 1
tolerances:
- {class: tiny, mape_max: 0.02}
defaults: {class: tiny, system: trn2-core, run: {kernel: gemm, params: {m: 128, n: 128, k: 128}}, measured: {clock: kernel_span}}
cases:
- {id: one, family: first, measured: {time_us: $kernel_us}}
- {id: two, family: second, measured: {time_us: $(awk "BEGIN { print $kernel_us * $1 }")}}
- {id: three, family: absent, run: {nki: "a.py:k"}, measured: {time_us: 1}}
END
}

cases 1
run 0 validate cases.yaml -j2 --json v.json --csv v.csv --html v.html --markdown v.md
out_has "1.000"
out_has "skipped 1, tiny: no checkout of nki-library given"
out_has "3 cases: 2 run, 1 skipped, 0 failed"
out_has "every class is within its tolerances"
[[ $(json v.json schema) == trnsim.validate/1 ]] || complain "schema"
[[ $(json v.json cases.0.outcome) == run && $(json v.json cases.2.outcome) == skipped ]] || complain "outcomes"
[[ $(json v.json classes.0.cases) == 2 ]] || complain "a skipped case counts"
[[ $(wc -l < v.csv) -eq 4 ]] || complain "CSV has not a header and three lines"
grep -q '<svg ' v.html || complain "no plot in the page"
grep -q '| tiny | 2 | 0.0 % |' v.md || complain "no class in the Markdown page"

cases 2
run 1 validate cases.yaml
out_has "OUTSIDE: MAPE 25.0 % above 2 %"
run 0 validate cases.yaml --family first
out_lacks "two "
run 1 validate cases.yaml -q
out_is_empty
printf 'version: 1\ntolerances:\n- {class: tiny, mape_max: 0.3}\n' > loose.yaml
run 0 validate cases.yaml --tolerances loose.yaml
run 0 validate cases.yaml --list
out_has "three"
out_lacks "ratio"

# A slower clock everywhere: both cases are slower than measured.
run 1 validate cases.yaml --id one --set chip.core.tensor.clock_ghz=1.2 --set chip.core.sequencer.base_clock_ghz=0.6
out_has "with --set chip.core.tensor.clock_ghz=1.2"

sed 's/mape_max/mape_mx/' cases.yaml > wrong.yaml
run 2 validate wrong.yaml
err_is "trnsim: wrong.yaml:3:17: unknown key 'mape_mx'; did you mean 'mape_max'?"
run 2 validate cases.yaml --id on
err_is "trnsim: --id on: no case has it; did you mean 'one'?"
run 2 validate cases.yaml --set chip.core.tensor.clok_ghz=1
err_has "clok_ghz"
run 2 validate absent.yaml
err_is_one_line
run 2 validate cases.yaml --checkout here
err_has "is not NAME=FOLDER"
run 2 validate cases.yaml --nki-library absent
err_has "is no folder"

# Calibration: what was measured had a tail of 5 us. Only declared keys move.
run 2 validate cases.yaml --calibrate fitted.yaml
err_has "no validation file declares keys under 'calibrate'"
missing fitted.yaml
cat > fit.yaml << END
version: 1
tolerances:
- {class: tiny, mape_max: 0.01}
defaults: {class: tiny, system: trn2-core, set: {launch.preamble_us: 10}, run: {kernel: gemm, params: {m: 128, n: 128, k: 128}}, measured: {clock: profile_total}}
cases:
- {id: one, family: first, measured: {time_us: $(awk "BEGIN { print $kernel_us + 10 + 5 }")}}
- {id: two, family: second, measured: {time_us: $(awk "BEGIN { print $kernel_us + 10 + 5 }")}}
calibrate:
- {key: launch.tail_us, from: 0, to: 10}
END
run 1 validate fit.yaml -q
run 0 validate fit.yaml --calibrate fitted.yaml
out_has "without tiny / first"
run 0 validate fit.yaml -q --system fitted.yaml

# Sensitivity: a slower DMA completion lengthens the tiny GEMM by what it is longer; a link does not.
cat > ranges.yaml << END
version: 1
headlines:
- {id: tiny gemm, system: trn2-core, run: {kernel: gemm, params: {m: 128, n: 128, k: 128}}}
- {id: a case, case: one}
- {id: absent, case: three}
assumptions:
- {row: dma.completion, keys: [chip.core.dma.completion_ns], low: -50 %, high: +100 %, reason: none}
- {row: cc.setup, keys: [fabric.collective_setup_us], low: 4, high: 5, reason: none}
- {row: link.efficiency, reason: no link}
END
cases 1
run 0 validate cases.yaml --assumptions ranges.yaml --json v.json --markdown v.md --html v.html
out_has "cc.setup: not exercised by a headline yet"
out_has "link.efficiency: not exercised by a headline yet"
[[ $(json v.json sensitivity.headlines.0.kernel_us) == "$kernel_us" ]] || complain "kernel time of a headline"
[[ $(json v.json sensitivity.headlines.2.reason) == "no checkout of nki-library given" ]] || complain "skipped headline"
[[ $(json v.json sensitivity.assumptions.0.changes.0.low) == -* ]] || complain "a shorter completion does not shorten"
[[ $(json v.json sensitivity.assumptions.0.changes.0.high) == "$(json v.json sensitivity.assumptions.0.changes.1.high)" ]] || complain "the same run twice"
grep -q '^| dma.completion | 345 | -50 % | +100 % | -' v.md || complain "no sensitivity in the Markdown page"
grep -q 'Sensitivity to assumptions' v.html || complain "no sensitivity in the HTML page"
sed 's/completion_ns/completion_s/' ranges.yaml > wrong.yaml
run 2 validate cases.yaml --assumptions wrong.yaml
err_is "trnsim: wrong.yaml:7:32: no system of a headline has key 'chip.core.dma.completion_s'; did you mean 'chip.core.dma.completion_ns'?"
run 2 validate cases.yaml --assumptions absent.yaml
err_is_one_line

# A run that fails is never silently left out.
sed 's/m: 128/m: 0/' cases.yaml > failing.yaml
run 1 validate failing.yaml
out_has "OUTSIDE: 2 failed to run"
finish
