// A built-in kernel asked for by name and parameters: the one list behind the command line, workload
// files and `trace gen`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trnsim/lower/options.h"
#include "trnsim/spec/system_spec.h"
#include "trnsim/trace/ir.h"
#include "trnsim/workload/placement.h"

namespace trnsim::workload {

struct Parameter {
  std::string name;          // "head-dim"; on the command line with two dashes
  std::string doc;
  std::string default_text;  // "" = none
  bool flag = false;         // true / false; on the command line without a value
  std::function<void(const std::string&)> set;  // throws Error for a value it does not take
};

class KernelRequest {
 public:
  virtual ~KernelRequest() = default;
  // Valid as long as the request lives.
  [[nodiscard]] virtual std::vector<Parameter> parameters() = 0;
  // Over all cores of a system.
  [[nodiscard]] virtual Placement place(const spec::SystemSpec& system,
                                        const lower::Options& lowering) const = 0;
  // The whole problem as one core's trace.
  [[nodiscard]] virtual trace::Trace build(const spec::CoreSpec& core) const = 0;
  // Of the mathematical problem: matrix products only, what a mask hides left out.
  [[nodiscard]] virtual double flops() const = 0;
};

// Sets parameters by name. Throws Error for names and values that the kernel does not take.
void set_arguments(KernelRequest& request,
                   const std::vector<std::pair<std::string, std::string>>& arguments);

// One of kernel_names(); null for other names.
[[nodiscard]] std::unique_ptr<KernelRequest> make_kernel_request(const std::string& name);
[[nodiscard]] std::vector<std::string> kernel_names();

}  // namespace trnsim::workload
