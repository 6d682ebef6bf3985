#!/usr/bin/env bash
# The pages show what the program prints, docs/cli.md has an example of every option, links lead somewhere.
source "$(dirname "$0")/lib.sh"
: > out
: > err

bash "$source_dir/tools/refresh_docs.sh" --check "$trnsim" || failures=$((failures + 1))

page=$source_dir/docs/cli.md
for command in "run gemm" "run attention" "run x.trt" "run x.yaml" describe "trace info" "trace dump" \
  "trace load" "trace gen gemm" "trace gen attention" validate version; do
  run 0 $command --help
  start=${command/#run */run}  # the options that every run has are shown once
  while read -r short option; do
    [[ $option == --help ]] || grep -qE -- "trnsim $start.* $option( |\`|\$|=)" "$page" ||
      { [[ $short != none ]] && grep -qE -- "trnsim $start.* $short( |\`|\$)" "$page"; } ||
      complain "docs/cli.md has no example of '$command $option'"
  done < <(sed -nE 's/^  (-[a-z]),(--[a-z-]+).*/\1 \2/p; s/^  (--[a-z-]+).*/none \1/p' out)
done

while IFS=: read -r file link; do
  [[ $link == http* || -e $source_dir/$(dirname "$file")/${link%%#*} ]] || {
    echo "$file: no such file: $link"
    failures=$((failures + 1))
  }
done < <(cd "$source_dir" && grep -oE '\]\([^)#][^)]*\)' README.md CONTRIBUTING.md docs/*.md configs/README.md |
  sed -E 's/\]\(([^)]*)\)/\1/')
finish
