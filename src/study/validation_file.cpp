// Strict reader of validation files.
#include "trnsim/study/validation_file.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "trnsim/base/files.h"
#include "trnsim/spec/loader.h"
#include "trnsim/workload/kernel_request.h"
#include "yaml_reader.h"

namespace trnsim::study {
namespace fs = std::filesystem;
namespace {

constexpr double kMostUs = 1e9;
constexpr double kMostBytes = 1e15;
constexpr double kMostShare = 100;  // 10,000 %

const std::vector<std::string> kGrades{"A", "B", "B-", "C"};
const std::vector<std::string> kRunKinds{"kernel", "nki", "trace", "profile"};

class Reader {
 public:
  explicit Reader(const std::string& path) : yaml_(path) { file_.path = path; }

  ValidationFile read() {
    const YAML::Node root = yaml_.load();
    file_.name = fs::path(file_.path).stem().string();
    if (yaml_.check_map(root, {"version", "name", "source", "notes", "tolerances", "defaults",
                               "cases", "not_rebuilt", "calibrate"})) {
      read_root(root);
    }
    yaml_.finish();
    return std::move(file_);
  }

 private:
  void read_root(const YAML::Node& root) {
    std::uint32_t version = 0;
    yaml_.count(root, "version", 1, 1, version);
    if (!root["version"]) {
      yaml_.find(root, "'version' is missing", "this program reads version: 1");
    }
    yaml_.text(root, "name", file_.name);
    yaml_.text(root, "source", file_.source);
    yaml_.text(root, "notes", file_.notes);
    for (const YAML::Node& node : yaml_.list(root, "tolerances")) {
      read_tolerance(node);
    }
    ValidationCase defaults;
    defaults.source = file_.source;
    if (const YAML::Node node = root["defaults"]; node) {
      read_case(node, false, defaults);
    }
    for (const YAML::Node& node : yaml_.list(root, "cases")) {
      ValidationCase one = defaults;
      one.where = yaml_.where(node);
      if (read_case(node, true, one)) {
        check_case(node, one);
        file_.cases.push_back(std::move(one));
      }
    }
    for (const YAML::Node& node : yaml_.list(root, "not_rebuilt")) {
      NotRebuilt row;
      if (yaml_.check_map(node, {"ids", "reason"})) {
        require(node, {"ids", "reason"});
        yaml_.text(node, "ids", row.ids);
        yaml_.text(node, "reason", row.reason);
        file_.not_rebuilt.push_back(std::move(row));
      }
    }
    for (const YAML::Node& node : yaml_.list(root, "calibrate")) {
      read_calibration(node);
    }
  }

  void require(const YAML::Node& node, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      if (!node[key]) {
        yaml_.find(node, fmt::format("'{}' is missing", key));
      }
    }
  }

  void read_tolerance(const YAML::Node& node) {
    ClassTolerance row;
    if (!yaml_.check_map(node, {"class", "short_below_us", "mape_max", "p90_max",
                                "short_mape_max", "case_max", "family_bias_max", "engine_busy_max",
                                "opcode_median_max", "hbm_within_20_min", "baseline_mape",
                                "family_baselines", "notes"})) {
      return;
    }
    require(node, {"class"});
    yaml_.text(node, "class", row.class_name);
    yaml_.number(node, "short_below_us", 0, kMostUs, row.short_below_us);
    yaml_.number(node, "mape_max", 0, kMostShare, row.mape_max);
    yaml_.number(node, "p90_max", 0, kMostShare, row.p90_max);
    yaml_.number(node, "short_mape_max", 0, kMostShare, row.short_mape_max);
    yaml_.number(node, "case_max", 0, kMostShare, row.case_max);
    yaml_.number(node, "family_bias_max", 0, kMostShare, row.family_bias_max);
    yaml_.number(node, "engine_busy_max", 0, kMostShare, row.engine_busy_max);
    yaml_.number(node, "opcode_median_max", 0, kMostShare, row.opcode_median_max);
    yaml_.number(node, "hbm_within_20_min", 0, 1, row.hbm_within_20_min);
    yaml_.number(node, "baseline_mape", 0, kMostShare, row.baseline_mape);
    if (const YAML::Node families = node["family_baselines"]; families) {
      for (const auto& [family, text] : pairs(families, "family_baselines")) {
        double value = 0;
        yaml_.number(families, family.c_str(), 0, kMostShare, value);
        row.family_baselines.emplace_back(family, value);
      }
    }
    yaml_.text(node, "notes", row.notes);
    file_.tolerances.push_back(std::move(row));
  }

  void read_calibration(const YAML::Node& node) {
    CalibrationKey row;
    row.where = yaml_.where(node);
    if (!yaml_.check_map(node, {"key", "from", "to"})) {
      return;
    }
    require(node, {"key", "from", "to"});
    yaml_.text(node, "key", row.key);
    yaml_.number(node, "from", -kMostUs, kMostUs, row.from);
    yaml_.number(node, "to", -kMostUs, kMostUs, row.to);
    if (node["from"] && node["to"] && row.from >= row.to) {
      yaml_.find(node, "'from' must be less than 'to'");
    }
    file_.calibrate.push_back(std::move(row));
  }

  // whole: a case, else the defaults of all cases.
  bool read_case(const YAML::Node& node, bool whole, ValidationCase& one) {
    std::vector<std::string> keys{"class", "family", "grade",    "system", "lnc",
                                  "set",   "run",    "measured", "source", "note"};
    if (whole) {
      keys.insert(keys.begin(), "id");
    }
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

  void read_measured(const YAML::Node& node, Measured& measured) {
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

  // Scalars by name; YAML's true, false and null as Python spells them, lists as Python lists.
  std::vector<std::pair<std::string, std::string>> pairs(const YAML::Node& map, const char* what) {
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

  static std::string literal(const YAML::Node& node) {
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

  void read_run(const YAML::Node& node, RunRecipe& run) {
    if (!yaml_.check_map(node, {"kernel", "params", "nki", "args", "grid", "trips", "checkout",
                                "python_path", "trace", "profile", "options"})) {
      return;
    }
    RunKind kind = RunKind::kNone;
    for (std::size_t i = 0; i < kRunKinds.size(); ++i) {
      if (!node[kRunKinds[i]]) {
        continue;
      }
      if (kind != RunKind::kNone) {
        yaml_.find(node, "'run' has one of kernel, nki, trace and profile");
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
  }

  static void set_argument(RunRecipe& run, const std::string& name, const std::string& value) {
    for (auto& [known, old] : run.arguments) {
      if (known == name) {
        old = value;
        return;
      }
    }
    run.arguments.emplace_back(name, value);
  }

  // What only the whole case shows.
  void check_case(const YAML::Node& node, const ValidationCase& one) {
    const std::pair<const char*, bool> needed[] = {{"id", one.id.empty()},
                                                   {"class", one.class_name.empty()},
                                                   {"family", one.family.empty()},
                                                   {"system", one.system.empty()},
                                                   {"run", one.run.kind == RunKind::kNone},
                                                   {"measured: {time_us}", one.measured.time_us == 0}};
    for (const auto& [key, missing] : needed) {
      if (missing) {
        yaml_.find(node, fmt::format("'{}' is missing", key));
      }
    }
    const YAML::Node run = node["run"] ? node["run"] : node;
    if (one.run.kind == RunKind::kKernel) {
      check_kernel(run, one.run);
    }
    if (one.run.kind == RunKind::kNki && one.run.target.rfind(".py:") == std::string::npos) {
      yaml_.find(run, fmt::format("nki '{}' is not FILE.py:KERNEL", one.run.target));
    }
  }

  void check_kernel(const YAML::Node& node, const RunRecipe& run) {
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

  YamlReader yaml_;
  ValidationFile file_;
};

}  // namespace

const std::vector<std::string>& clock_names() {
  static const std::vector<std::string> names{"kernel_span", "profile_total", "counter",
                                              "nc_latency", "active"};
  return names;
}

double launch_us(Clock clock, const spec::LaunchSpec& launch) {
  switch (clock) {
    case Clock::kKernelSpan:
      return 0;
    case Clock::kProfileTotal:
      return launch.profile_total_us();
    case Clock::kCounter:
      return launch.counter_us();
    case Clock::kNcLatency:
      return launch.nc_latency_us();
    case Clock::kActive:
      return launch.active_us();
  }
  return 0;
}

ValidationFile read_validation_file(const std::string& path) { return Reader(path).read(); }

std::vector<ValidationFile> read_validation_files(const std::vector<std::string>& paths) {
  std::vector<ValidationFile> files;
  std::vector<Finding> findings;
  std::map<std::string, Location> seen;
  for (const std::string& path : paths) {
    try {
      files.push_back(read_validation_file(path));
    } catch (const Error& error) {
      findings.insert(findings.end(), error.findings().begin(), error.findings().end());
      continue;
    }
    for (const ValidationCase& one : files.back().cases) {
      const auto [known, fresh] = seen.emplace(one.id, one.where);
      if (!fresh) {
        findings.push_back({one.where, fmt::format("id '{}' is given twice", one.id),
                            fmt::format("first in {}:{}", known->second.file, known->second.line)});
      }
    }
  }
  if (!findings.empty()) {
    throw Error(std::move(findings));
  }
  return files;
}

namespace {

// Like the configuration: beside it, beside the installed program, or in the sources.
fs::path data_folder() {
  std::error_code code;
  const fs::path program = fs::read_symlink("/proc/self/exe", code);
  const fs::path beside_configs = fs::path(spec::config_folder()).lexically_normal().parent_path();
  for (const fs::path& base : {beside_configs, program.parent_path() / "../share/trnsim"}) {
    if (fs::path folder = (base / "data/validation").lexically_normal();
        fs::is_directory(folder, code)) {
      return folder;
    }
  }
  return fs::path(TRNSIM_SOURCE_DATA) / "validation";
}

}  // namespace

std::vector<std::string> shipped_validation_files() {
  const fs::path folder = data_folder();
  std::vector<std::string> paths;
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".yaml") {
      paths.push_back(entry.path().string());
    }
  }
  if (paths.empty()) {
    throw Error("has no validation files", {folder.string()}, "name a file");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace trnsim::study
