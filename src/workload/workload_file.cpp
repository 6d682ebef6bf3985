// Strict reader of workload files.
#include "trnsim/workload/workload_file.h"

#include <filesystem>

#include "trnsim/base/files.h"
#include "yaml_fields.h"

namespace trnsim::workload {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : fields_(path) {}

  Workload read() {
    const YAML::Node root = fields_.parse(read_file(fields_.path()));
    Workload workload;
    workload.name = std::filesystem::path(fields_.path()).stem().string();
    if (!root.IsMap()) {
      throw Error("a workload file is a map with 'name' and 'steps'", {fields_.path(), 1, 1});
    }
    fields_.check_keys(root, {"name", "steps"});
    fields_.text(root, "name", workload.name);
    const YAML::Node steps = root["steps"];
    if (!steps || !steps.IsSequence() || steps.size() == 0) {
      throw Error("'steps' is missing or not a list with at least one entry",
                  fields_.where(steps ? steps : root));
    }
    for (const YAML::Node& step : steps) {
      workload.steps.push_back(read_step(step));
    }
    fields_.finish();
    return workload;
  }

 private:
  WorkloadStep read_step(const YAML::Node& node) {
    WorkloadStep step;
    step.where = fields_.where(node);
    if (!node.IsMap()) {
      fields_.find(node, "a step is a map with 'kernel' or 'trace'");
      return step;
    }
    const YAML::Node kernel = node["kernel"];
    const YAML::Node trace = node["trace"];
    if (static_cast<bool>(kernel) == static_cast<bool>(trace)) {
      fields_.find(node, "a step has either 'kernel' or 'trace'");
      return step;
    }
    fields_.text(node, "name", step.name);
    fields_.count(node, "repeat", step.repeat, 1);
    if (trace) {
      fields_.check_keys(node, {"name", "repeat", "trace", "copies"});
      fields_.count(node, "copies", step.copies, 0);
      step.trace_path =
          (std::filesystem::path(fields_.path()).parent_path() / trace.Scalar()).string();
    } else {
      read_kernel(node, kernel, step);
    }
    return step;
  }

  void read_kernel(const YAML::Node& node, const YAML::Node& kernel, WorkloadStep& step) {
    step.kernel = make_kernel_request(kernel.Scalar());
    if (step.kernel == nullptr) {
      fields_.find(kernel, fmt::format("unknown kernel '{}'", kernel.Scalar()),
                   did_you_mean(kernel.Scalar(), kernel_names()));
      return;
    }
    std::vector<std::string> names{"name", "repeat", "kernel"};
    for (const Parameter& parameter : step.kernel->parameters()) {
      names.push_back(parameter.name);
    }
    fields_.check_keys(node, names);
    for (const Parameter& parameter : step.kernel->parameters()) {
      const YAML::Node value = node[parameter.name];
      if (!value) {
        continue;
      }
      try {
        parameter.set(value.IsScalar() ? value.Scalar() : "");
      } catch (const Error& error) {
        fields_.adopt(error, value);
      }
    }
  }

  Fields fields_;
};

}  // namespace

Workload load_workload(const std::string& path) {
  return Reader(path).read();
}

}  // namespace trnsim::workload
