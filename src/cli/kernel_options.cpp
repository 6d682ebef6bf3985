// Names to options.
#include "kernel_options.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::cli {
namespace {

std::string one_of(const std::string& option, const std::string& text,
                   const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), text) != names.end()) {
    return text;
  }
  std::string hint = did_you_mean(text, names);
  if (hint.empty()) {
    for (const std::string& name : names) {
      hint += (hint.empty() ? "one of: " : ", ") + name;
    }
  }
  throw Error(fmt::format("{} '{}' does not exist", option, text), {}, hint);
}

}  // namespace

DType dtype_option(const std::string& option, const std::string& text) {
  const std::optional<DType> dtype = parse_dtype(text);
  if (!dtype) {
    (void)one_of(option, text, dtype_names());
  }
  return dtype.value();
}

void GemmFlags::declare(CLI::App& app) {
  app.add_option("-m,--m", m_, "rows of C")->capture_default_str();
  app.add_option("-n,--n", n_, "columns of C")->capture_default_str();
  app.add_option("-k,--k", k_, "contraction")->capture_default_str();
  app.add_option("--dtype", dtype_, "type of A and B, e.g. bf16, fp16, fp32, fp8")
      ->capture_default_str();
  app.add_option("--out-dtype", out_dtype_, "type of C (default: as the inputs, bf16 for fp8)");
  app.add_option("--variant", variant_,
                 "naive, hoisted, one_bank, blocked_free, blocked or best (docs/kernels.md)")
      ->capture_default_str();
  app.add_option("--a-layout", a_layout_, "km: A stored [K, M]; mk: [M, K]")->capture_default_str();
  app.add_option("--b-layout", b_layout_, "kn: B stored [K, N]; nk: [N, K]")->capture_default_str();
}

kernels::GemmOptions GemmFlags::resolve() const {
  kernels::GemmOptions options;
  options.m = m_;
  options.n = n_;
  options.k = k_;
  options.dtype = dtype_option("--dtype", dtype_);
  if (!out_dtype_.empty()) {
    options.out_dtype = dtype_option("--out-dtype", out_dtype_);
  }
  options.variant =
      *kernels::parse_gemm_variant(one_of("--variant", variant_, kernels::gemm_variant_names()));
  options.a_is_km = one_of("--a-layout", a_layout_, {"km", "mk"}) == "km";
  options.b_is_kn = one_of("--b-layout", b_layout_, {"kn", "nk"}) == "kn";
  return options;
}

}  // namespace trnsim::cli
