# Sourced by the tools: the Debian packages trnsim needs, and their installation.

trnsim_packages=(
  g++ cmake ninja-build ccache git pkg-config ca-certificates
  libsystemc-dev libboost-dev libboost-iostreams-dev libfmt-dev libspdlog-dev libyaml-cpp-dev
  libcli11-dev nlohmann-json3-dev libprotobuf-dev protobuf-compiler zlib1g-dev
  libgtest-dev libgmock-dev libbenchmark-dev libsimgrid-dev python3 python3-venv
)

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# Runs a command quietly; its output is shown only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" > "$log" 2>&1; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# Installs what is missing; silent when nothing is.
install_packages() {
  command -v dpkg-query > /dev/null && command -v apt-get > /dev/null ||
    fail "this machine has no apt; install by hand: ${trnsim_packages[*]}"
  local package missing=()
  for package in "${trnsim_packages[@]}"; do
    [[ $(dpkg-query -W -f '${Status}' "$package" 2> /dev/null) == "install ok installed" ]] ||
      missing+=("$package")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then
    return
  fi
  local root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo > /dev/null || fail "need root or sudo to install: ${missing[*]}"
    root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120)
  quietly "${root[@]}" "${apt[@]}" update || fail "apt-get update failed"
  quietly "${root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]}"
}

# Compiles in parallel, one job per 1.5 GB of memory at most. Files that include SystemC take about 1 GB.
build_jobs() {
  local cores memory_gb
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  echo $((memory_gb < 1 ? 1 : memory_gb < cores ? memory_gb : cores))
}

# ccache keeps compiled files over branches and fresh clones; these two settings let it do so for the
# precompiled SystemC header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
