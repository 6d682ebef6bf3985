// One case of a validation file.
#include "case_reader.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "trnsim/collectives/plan.h"
#include "trnsim/workload/kernel_request.h"

namespace trnsim::study {
namespace {

constexpr double kMostUs = 1e9;
constexpr double kMostBytes = 1e15;

const std::vector<std::string> kGrades{"A", "B", "B-", "C"};
const std::vector<std::string> kRunKinds{"kernel", "nki", "trace", "profile", "collective", "graph"};
const std::vector<std::string> kCollectiveKeys{"ranks", "rank", "bytes", "algorithm", "network"};

std::string literal(const YAML::Node& node) {
  if (node.IsNull()) {
    return "None";
  }
  if (node.IsSequence()) {
    std::vector<std::string> parts;
    for (const YAML::Node& part : node) {
      parts.push_back(literal(part));
    }
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  const bool plain = node.Tag() == "?";
  if (plain && (node.Scalar() == "true" || node.Scalar() == "false")) {
    return node.Scalar() == "true" ? "True" : "False";
  }
  return node.Scalar();
}

void set_argument(RunRecipe& run, const std::string& name, const std::string& value) {
  for (auto& [known, old] : run.arguments) {
    if (known == name) {
      old = value;
      return;
    }
  }
  run.arguments.emplace_back(name, value);
}

}  // namespace

std::vector<std::string> CaseReader::whole() {
  std::vector<std::string> keys = defaults();
  keys.insert(keys.begin(), "id");
  return keys;
}

std::vector<std::string> CaseReader::defaults() {
  return {"class", "family", "grade", "system", "lnc", "set", "run", "measured", "source", "note"};
}

std::vector<std::string> CaseReader::needed() {
  return {"id", "class", "family", "system", "run", "measured: {time_us}"};
}

bool CaseReader::read(const YAML::Node& node, const std::vector<std::string>& keys,
                      ValidationCase& one) {
  if (!yaml_.check_map(node, keys)) {
    return false;
  }
  yaml_.text(node, "id", one.id);
  yaml_.text(node, "class", one.class_name);
  yaml_.text(node, "family", one.family);
  yaml_.text(node, "system", one.system);
  yaml_.text(node, "source", one.source);
  yaml_.text(node, "note", one.note);
  yaml_.count(node, "lnc", 1, 2, one.lnc);
  std::size_t grade = kGrades.size();
  yaml_.choice(node, "grade", kGrades, grade);
  one.grade = grade < kGrades.size() ? kGrades[grade] : one.grade;
  if (const YAML::Node set = node["set"]; set) {
    one.set.clear();
    for (const auto& [key, value] : pairs(set, "set")) {
      one.set.push_back(key + "=" + value);
    }
  }
  if (const YAML::Node run = node["run"]; run) {
    read_run(run, one.run);
  }
  if (const YAML::Node measured = node["measured"]; measured) {
    read_measured(measured, one.measured);
  }
  return true;
}

void CaseReader::read_measured(const YAML::Node& node, Measured& measured) {
  if (!yaml_.check_map(node, {"time_us", "clock", "statistic", "active_us", "hbm_bytes"})) {
    return;
  }
  constexpr double kLeast = 1e-6;
  yaml_.number(node, "time_us", kLeast, kMostUs, measured.time_us);
  yaml_.number(node, "active_us", kLeast, kMostUs, measured.active_us);
  yaml_.number(node, "hbm_bytes", 1, kMostBytes, measured.hbm_bytes);
  yaml_.text(node, "statistic", measured.statistic);
  auto clock = static_cast<std::size_t>(measured.clock);
  yaml_.choice(node, "clock", clock_names(), clock);
  measured.clock = static_cast<Clock>(clock);
}

std::vector<std::pair<std::string, std::string>> CaseReader::pairs(const YAML::Node& map,
                                                                  const char* what) {
  std::vector<std::pair<std::string, std::string>> result;
  if (!map.IsMap()) {
    yaml_.find(map, fmt::format("'{}' must be a map", what));
    return result;
  }
  for (const auto& entry : map) {
    const YAML::Node& value = entry.second;
    if (value.IsMap() || !entry.first.IsScalar()) {
      yaml_.find(value, fmt::format("'{}' takes values and lists", what));
      continue;
    }
    result.emplace_back(entry.first.Scalar(), literal(value));
  }
  return result;
}

void CaseReader::read_run(const YAML::Node& node, RunRecipe& run) {
  std::vector<std::string> keys{"params", "args", "grid", "trips", "checkout", "python_path", "options"};
  keys.insert(keys.end(), kRunKinds.begin(), kRunKinds.end());
  keys.insert(keys.end(), kCollectiveKeys.begin(), kCollectiveKeys.end());
  if (!yaml_.check_map(node, keys)) {
    return;
  }
  RunKind kind = RunKind::kNone;
  for (std::size_t i = 0; i < kRunKinds.size(); ++i) {
    if (!node[kRunKinds[i]]) {
      continue;
    }
    if (kind != RunKind::kNone) {
      yaml_.find(node, "'run' has one of kernel, nki, trace, profile, collective and graph");
    }
    kind = static_cast<RunKind>(i + 1);
    yaml_.text(node, kRunKinds[i].c_str(), run.target);
  }
  if (kind == RunKind::kNki && node["checkout"].IsDefined() == false && run.checkout.empty()) {
    run.checkout = "nki-library";
  }
  if (kind != RunKind::kNone && kind != run.kind) {
    run.kind = kind;
    run.arguments.clear();  // defaults of another kind of run
  }
  yaml_.text(node, "checkout", run.checkout);
  yaml_.texts(node, "python_path", run.python_path);
  yaml_.texts(node, "options", run.options);
  yaml_.counts(node, "grid", run.grid);
  yaml_.counts(node, "trips", run.trips);
  for (const char* key : {"params", "args"}) {
    if (!node[key]) {
      continue;
    }
    for (const auto& [name, value] : pairs(node[key], key)) {
      set_argument(run, name, value);
    }
  }
  read_collective(node, run);
}

void CaseReader::read_collective(const YAML::Node& node, RunRecipe& run) {
  constexpr std::uint32_t kMostRanks = 65536;
  constexpr std::uint64_t kMostBytesOfARank = std::uint64_t{1} << 50U;
  for (const std::string& key : kCollectiveKeys) {
    if (node[key] && run.kind != RunKind::kCollective) {
      yaml_.find(node[key], fmt::format("'{}' is of a collective", key));
      return;
    }
  }
  std::uint32_t ranks = 0;
  yaml_.count(node, "ranks", 2, kMostRanks, ranks);
  if (ranks > 0) {
    set_argument(run, "ranks", fmt::format("{}", ranks));
  }
  if (const YAML::Node bytes = node["bytes"]; bytes) {
    const std::string text = bytes.IsScalar() ? bytes.Scalar() : "";
    std::uint64_t value = 0;
    const auto [last, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || last != text.data() + text.size() || value == 0 ||
        value > kMostBytesOfARank) {
      yaml_.find(bytes, fmt::format("'bytes' must be a whole number from 1 to {}", kMostBytesOfARank));
    } else {
      set_argument(run, "bytes", text);
    }
  }
  const std::pair<const char*, std::vector<std::string>> choices[] = {
      {"rank", {"core", "logical_core", "chip"}}, {"network", {"analytic", "flow", "packet"}}};
  for (const auto& [key, names] : choices) {
    std::size_t index = names.size();
    yaml_.choice(node, key, names, index);
    if (index < names.size()) {
      set_argument(run, key, names[index]);
    }
  }
  const auto parsed = [&](const char* key, const auto& parse) {
    if (!node[key] || !node[key].IsScalar()) {
      return false;  // absent, or a finding of text()
    }
    try {
      static_cast<void>(parse(node[key].Scalar()));
      return true;
    } catch (const Error& error) {
      yaml_.find(node[key], error.findings().front().what, error.findings().front().hint);
      return false;
    }
  };
  parsed("collective", [](const std::string& text) { return collectives::parse_op(text); });
  std::string algorithm;
  yaml_.text(node, "algorithm", algorithm);
  if (parsed("algorithm", [](const std::string& text) { return collectives::parse_algorithm(text); })) {
    set_argument(run, "algorithm", algorithm);
  }
}

void CaseReader::check(const YAML::Node& node, const std::vector<std::string>& needed,
                       const ValidationCase& one) {
  const std::pair<const char*, bool> absent[] = {{"id", one.id.empty()},
                                                 {"class", one.class_name.empty()},
                                                 {"family", one.family.empty()},
                                                 {"system", one.system.empty()},
                                                 {"run", one.run.kind == RunKind::kNone},
                                                 {"measured: {time_us}", one.measured.time_us == 0}};
  for (const auto& [key, missing] : absent) {
    if (missing && std::find(needed.begin(), needed.end(), key) != needed.end()) {
      yaml_.find(node, fmt::format("'{}' is missing", key));
    }
  }
  const YAML::Node run = node["run"] ? node["run"] : node;
  if (one.run.kind == RunKind::kKernel) {
    check_kernel(run, one.run);
  }
  if (one.run.kind == RunKind::kCollective) {
    check_collective(node, one);
  } else if (one.measured.clock == Clock::kDevice && one.run.kind != RunKind::kGraph &&
             one.run.kind != RunKind::kNone) {
    yaml_.find(node, "clock device is of collectives and graphs", "a kernel has kernel_span");
  }
  if (one.run.kind == RunKind::kNki && one.run.target.rfind(".py:") == std::string::npos) {
    yaml_.find(run, fmt::format("nki '{}' is not FILE.py:KERNEL", one.run.target));
  }
}

void CaseReader::check_collective(const YAML::Node& node, const ValidationCase& one) {
  const auto& arguments = one.run.arguments;
  const YAML::Node run = node["run"];
  const bool given = run && run.IsMap() && run["bytes"];  // wrong bytes are a finding already
  if (!given && std::none_of(arguments.begin(), arguments.end(), [](const auto& argument) {
        return argument.first == "bytes";
      })) {
    yaml_.find(node, "'bytes' is missing", "run: {collective: all_reduce, bytes: 1048576}");
  }
  if (one.measured.time_us > 0 && one.measured.clock != Clock::kDevice) {
    yaml_.find(node, fmt::format("a collective is not measured on clock {}",
                                 clock_names()[static_cast<std::size_t>(one.measured.clock)]),
               "the time nccom-test prints has clock: device");
  }
}

void CaseReader::check_kernel(const YAML::Node& node, const RunRecipe& run) {
  const std::unique_ptr<workload::KernelRequest> kernel = workload::make_kernel_request(run.target);
  if (kernel == nullptr) {
    yaml_.find(node, fmt::format("unknown kernel '{}'", run.target),
               did_you_mean(run.target, workload::kernel_names()));
    return;
  }
  const YAML::Node params = node["params"] ? node["params"] : node;
  const std::vector<workload::Parameter> parameters = kernel->parameters();
  for (const auto& [name, value] : run.arguments) {
    const auto known = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& parameter) { return parameter.name == name; });
    const YAML::Node at = params.IsMap() && params[name] ? params[name] : params;
    if (known == parameters.end()) {
      std::vector<std::string> names;
      for (const workload::Parameter& parameter : parameters) {
        names.push_back(parameter.name);
      }
      yaml_.find(at, fmt::format("{} has no parameter '{}'", run.target, name),
                 did_you_mean(name, names));
      continue;
    }
    try {
      known->set(known->flag ? (value == "True" ? "true" : "false") : value);
    } catch (const Error& error) {
      yaml_.find(at, error.findings().front().what, error.findings().front().hint);
    }
  }
}

}  // namespace trnsim::study
