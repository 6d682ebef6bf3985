// Executes a Trace on real data: the oracle for kernel builders and the NKI front end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::numerics {

using Values = std::vector<double>;  // one number per element, in memory order

// A read of elements nobody had written (they read as NaN in float types).
struct UninitialisedRead {
  std::uint32_t instruction = trace::kNone;  // kNone: an output tensor at the end of the run
  std::string tensor;
  std::uint64_t elements = 0;
};

// A machine that runs one Trace in program order; no time, no engines in parallel, every Tensor is
// its own memory (no address aliasing). docs/numerics.md says what is faithful and what is a
// reading.
class Machine {
 public:
  struct Options {
    bool keep_on_chip = false;  // keep SBUF and PSUM tensors after their last use, for values()
  };

  // Keeps a reference to `trace`.
  explicit Machine(const trace::Trace& trace);
  Machine(const trace::Trace& trace, Options options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Sets an HBM tensor by name, each value rounded to the tensor's dtype (MX types: four values per
  // element). Throws Error: unknown name, wrong count.
  void set(const std::string& name, const Values& values);

  // Executes all instructions. Throws Error naming the instruction ("instruction 17 (nc_matmul):
  // ...") for anything that is not implemented, shapes that do not fit, accesses outside a tensor.
  void run();

  // Content of a tensor; NaN where a float tensor was never written. On-chip tensors need
  // keep_on_chip.
  [[nodiscard]] Values values(const std::string& name) const;
  [[nodiscard]] Values values(std::uint32_t tensor) const;

  // In program order, at most one entry per (instruction, operand); the first 1000.
  [[nodiscard]] const std::vector<UninitialisedRead>& uninitialised_reads() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Execution {
  std::map<std::string, Values> outputs;  // every tensor with role output
  std::vector<UninitialisedRead> uninitialised_reads;
};

// Sets `inputs`, runs and collects. Throws Error also when an input or constant tensor of the trace
// has no values.
[[nodiscard]] Execution execute(const trace::Trace& trace,
                                const std::map<std::string, Values>& inputs);

}  // namespace trnsim::numerics
