#!/usr/bin/env bash
# package_test.sh CMAKE BUILD_FOLDER CONSUMER GENERATOR COMPILER [FLAGS...]: installs, moves the result, uses it.
set -euo pipefail
cmake=$1 build=$2 consumer=$3 generator=$4 compiler=$5
shift 5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset TRNSIM_CONFIG_DIR

"$cmake" --install "$build" --prefix "$work/first" > "$work/install.log" ||
  { cat "$work/install.log"; exit 1; }
mv "$work/first" "$work/prefix"  # an installation can be moved

# A system only the installation has: the program reads its own share/, not the source's configs/.
printf '# Only in this installation.\nbase: trn2-core.yaml\n' \
  > "$work/prefix/share/trnsim/configs/systems/only-installed.yaml"
mkdir "$work/elsewhere"
cd "$work/elsewhere"
"$work/prefix/bin/trnsim" run gemm -m 256 -n 256 -k 256 --system only-installed | tee run.txt
grep -q '^on only-installed: 1 chip' run.txt

"$cmake" -S "$consumer" -B "$work/build" -G "$generator" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$*" > "$work/configure.log" 2>&1 ||
  { cat "$work/configure.log"; exit 1; }
"$cmake" --build "$work/build" > "$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
TRNSIM_CONFIG_DIR="$work/prefix/share/trnsim/configs" "$work/build/consumer" | tee consumer.txt
grep -q 'instructions' consumer.txt
