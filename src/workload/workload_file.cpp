// Strict reader of workload files.
#include "trnsim/workload/workload_file.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "trnsim/base/files.h"

namespace trnsim::workload {
namespace {

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Workload read() {
    YAML::Node root;
    try {
      root = YAML::Load(read_file(path_));
    } catch (const YAML::Exception& error) {
      throw Error(error.msg, {path_, error.mark.line + 1, error.mark.column + 1});
    }
    Workload workload;
    workload.name = std::filesystem::path(path_).stem().string();
    if (!root.IsMap()) {
      throw Error("a workload file is a map with 'name' and 'steps'", {path_, 1, 1});
    }
    check_keys(root, {"name", "steps"});
    if (const YAML::Node name = root["name"]; name && name.IsScalar()) {
      workload.name = name.Scalar();
    }
    const YAML::Node steps = root["steps"];
    if (!steps || !steps.IsSequence() || steps.size() == 0) {
      throw Error("'steps' is missing or not a list with at least one entry", where(steps ? steps : root));
    }
    for (const YAML::Node& step : steps) {
      workload.steps.push_back(read_step(step));
    }
    if (!findings_.empty()) {
      throw Error(std::move(findings_));
    }
    return workload;
  }

 private:
  [[nodiscard]] Location where(const YAML::Node& node) const {
    return {path_, node.Mark().line + 1, node.Mark().column + 1};
  }

  void find(const YAML::Node& at, std::string what, std::string hint = {}) {
    findings_.push_back({where(at), std::move(what), std::move(hint)});
  }

  // Unknown and duplicate keys of a map.
  void check_keys(const YAML::Node& map, const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const std::string key = entry.first.Scalar();
      if (std::find(names.begin(), names.end(), key) == names.end()) {
        find(entry.first, fmt::format("unknown key '{}'", key), did_you_mean(key, names));
      } else if (!seen.insert(key).second) {
        find(entry.first, fmt::format("key '{}' is given twice", key));
      }
    }
  }

  std::uint32_t count(const YAML::Node& map, const std::string& key, std::uint32_t otherwise,
                      std::uint32_t least) {
    const YAML::Node node = map[key];
    if (!node) {
      return otherwise;
    }
    std::uint32_t value = 0;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || text.empty() || value < least) {
      find(node, fmt::format("'{}' must be a whole number of at least {}", key, least));
    }
    return value;
  }

  WorkloadStep read_step(const YAML::Node& node) {
    WorkloadStep step;
    step.where = where(node);
    if (!node.IsMap()) {
      find(node, "a step is a map with 'kernel' or 'trace'");
      return step;
    }
    const YAML::Node kernel = node["kernel"];
    const YAML::Node trace = node["trace"];
    if (static_cast<bool>(kernel) == static_cast<bool>(trace)) {
      find(node, "a step has either 'kernel' or 'trace'");
      return step;
    }
    step.name = node["name"] ? node["name"].Scalar() : "";
    step.repeat = count(node, "repeat", 1, 1);
    if (trace) {
      check_keys(node, {"name", "repeat", "trace", "copies"});
      step.copies = count(node, "copies", 1, 0);
      step.trace_path =
          (std::filesystem::path(path_).parent_path() / trace.Scalar()).string();
    } else {
      read_kernel(node, kernel, step);
    }
    return step;
  }

  void read_kernel(const YAML::Node& node, const YAML::Node& kernel, WorkloadStep& step) {
    step.kernel = make_kernel_request(kernel.Scalar());
    if (step.kernel == nullptr) {
      find(kernel, fmt::format("unknown kernel '{}'", kernel.Scalar()),
           did_you_mean(kernel.Scalar(), kernel_names()));
      return;
    }
    std::vector<std::string> names{"name", "repeat", "kernel"};
    for (const Parameter& parameter : step.kernel->parameters()) {
      names.push_back(parameter.name);
    }
    check_keys(node, names);
    for (const Parameter& parameter : step.kernel->parameters()) {
      const YAML::Node value = node[parameter.name];
      if (!value) {
        continue;
      }
      try {
        parameter.set(value.IsScalar() ? value.Scalar() : "");
      } catch (const Error& error) {
        find(value, error.findings().front().what, error.findings().front().hint);
      }
    }
  }

  std::string path_;
  std::vector<Finding> findings_;
};

}  // namespace

Workload load_workload(const std::string& path) { return Reader(path).read(); }

}  // namespace trnsim::workload
