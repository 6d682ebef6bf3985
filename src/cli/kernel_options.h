// Command-line options of the built-in kernels, shared by `run` and `trace gen`.
#pragma once

#include <CLI/CLI.hpp>

#include "trnsim/kernels/gemm.h"

namespace trnsim::cli {

// Flags as typed; resolved after parsing.
class GemmFlags {
 public:
  void declare(CLI::App& app);
  // Throws Error for names that do not exist, with the nearest one.
  [[nodiscard]] kernels::GemmOptions resolve() const;

 private:
  std::uint32_t m_ = 4096;
  std::uint32_t n_ = 4096;
  std::uint32_t k_ = 4096;
  std::string dtype_ = "bfloat16";
  std::string out_dtype_;
  std::string variant_ = "best";
  std::string a_layout_ = "km";
  std::string b_layout_ = "kn";
};

// A dtype by name. Throws Error naming `option`.
[[nodiscard]] DType dtype_option(const std::string& option, const std::string& text);

}  // namespace trnsim::cli
