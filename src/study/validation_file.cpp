// Strict reader of validation files.
#include "trnsim/study/validation_file.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "case_reader.h"
#include "data_folder.h"
#include "trnsim/base/files.h"
#include "trnsim/spec/loader.h"

namespace trnsim::study {
namespace fs = std::filesystem;
namespace {

constexpr double kMostUs = 1e9;
constexpr double kMostShare = 100;  // 10,000 %

class Reader {
 public:
  explicit Reader(const std::string& path) : yaml_(path), cases_(yaml_) { file_.path = path; }

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
      cases_.read(node, CaseReader::defaults(), defaults);
    }
    for (const YAML::Node& node : yaml_.list(root, "cases")) {
      ValidationCase one = defaults;
      one.where = yaml_.where(node);
      if (cases_.read(node, CaseReader::whole(), one)) {
        cases_.check(node, CaseReader::needed(), one);
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
      for (const auto& [family, text] : cases_.pairs(families, "family_baselines")) {
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
    if (!yaml_.check_map(node, {"key", "with", "from", "to"})) {
      return;
    }
    require(node, {"key", "from", "to"});
    yaml_.text(node, "key", row.key);
    yaml_.texts(node, "with", row.with);
    yaml_.number(node, "from", -kMostUs, kMostUs, row.from);
    yaml_.number(node, "to", -kMostUs, kMostUs, row.to);
    if (node["from"] && node["to"] && row.from >= row.to) {
      yaml_.find(node, "'from' must be less than 'to'");
    }
    file_.calibrate.push_back(std::move(row));
  }

  YamlReader yaml_;
  CaseReader cases_;
  ValidationFile file_;
};

}  // namespace

const std::vector<std::string>& clock_names() {
  static const std::vector<std::string> names{"kernel_span", "profile_total", "counter",
                                              "nc_latency", "active", "device"};
  return names;
}

double launch_us(Clock clock, const spec::LaunchSpec& launch) {
  switch (clock) {
    case Clock::kKernelSpan:
    case Clock::kDevice:
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

std::vector<std::string> shipped_validation_files() {
  const fs::path folder = data_folder();
  std::vector<std::string> paths;
  std::error_code code;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".yaml" && entry.path().filename() != kSensitivityName) {
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
