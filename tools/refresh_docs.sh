#!/usr/bin/env bash
# refresh_docs.sh [--check] [PROGRAM]: rewrites the outputs shown in README.md and docs/. In a ```text block
# that starts with "$ trnsim ...", what follows is what that command prints. --check only compares (wall-clock
# lines aside) and exits with 1 where a page is not what the program prints.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
check=false
if [[ ${1:-} == --check ]]; then
  check=true
  shift
fi
program=$(readlink -f "${1:-$root/build/release/bin/trnsim}")
[[ -x $program ]] || { echo "refresh_docs.sh: no program $program" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$root/configs" "$work/configs"
cd "$work"

# What the command line prints; files of earlier commands are there for later ones.
output_of() {
  local words
  read -ra words <<< "$1"
  if [[ ${words[0]} != trnsim ]]; then
    echo "refresh_docs.sh: '$1' is no trnsim command" >&2
    return 1
  fi
  "$program" "${words[@]:1}" < /dev/null 2>&1 || true
}

refreshed() {  # page
  local line state=text
  while IFS= read -r line; do
    case $state in
      text)
        [[ $line == '```text' ]] && state=first
        echo "$line"
        ;;
      first)
        echo "$line"
        state=kept
        if [[ $line == '$ trnsim '* ]]; then
          output_of "${line#??}"
          state=replaced
        fi
        ;;
      kept | replaced)
        if [[ $line == '```' ]]; then
          echo "$line"
          state=text
        elif [[ $state == kept ]]; then
          echo "$line"
        fi
        ;;
    esac
  done < "$1"
}

without_clock() { grep -v '^  simulated ' "$1" || true; }

stale=0
for page in "$root/README.md" "$root"/docs/*.md; do
  refreshed "$page" > page.new
  if $check; then
    diff <(without_clock "$page") <(without_clock page.new) > page.diff || {
      echo "${page#"$root"/} is not what the program prints; run tools/refresh_docs.sh:"
      cat page.diff
      stale=1
    }
  elif ! cmp -s page.new "$page"; then
    cp page.new "$page"
    echo "refreshed ${page#"$root"/}"
  fi
done
exit $stale
