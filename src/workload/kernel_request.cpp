// Parameters of the built-in kernels.
#include "trnsim/workload/kernel_request.h"

#include <algorithm>
#include <charconv>

#include "trnsim/base/error.h"
#include "yaml_fields.h"

namespace trnsim::workload {
namespace {

[[noreturn]] void reject(const std::string& name, const std::string& text,
                         const std::vector<std::string>& names) {
  const std::string near = did_you_mean(text, names);
  throw Error(fmt::format("{} '{}' does not exist", name, text), {},
              near.empty() ? "one of: " + joined(names) : near);
}

Parameter count(std::string name, std::string doc, std::uint32_t& target) {
  const auto set = [name, &target](const std::string& text) {
    std::uint32_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || text.empty()) {
      throw Error(fmt::format("{} '{}' is not a whole number from 0 to 4294967295", name, text));
    }
    target = value;
  };
  return {std::move(name), std::move(doc), fmt::format("{}", target), false, set};
}

Parameter choice(std::string name, std::string doc, std::string default_text,
                 std::vector<std::string> names, std::function<void(const std::string&)> apply) {
  const auto set = [name, names, apply = std::move(apply)](const std::string& text) {
    if (std::find(names.begin(), names.end(), text) == names.end()) {
      reject(name, text, names);
    }
    apply(text);
  };
  doc += " (" + joined(names) + ")";
  return {std::move(name), std::move(doc), std::move(default_text), false, set};
}

Parameter dtype(std::string name, std::string doc, std::string default_text,
                std::function<void(DType)> apply) {
  const auto set = [name, apply = std::move(apply)](const std::string& text) {
    const std::optional<DType> parsed = parse_dtype(text);
    if (!parsed) {
      reject(name, text, dtype_names());
    }
    apply(*parsed);
  };
  return {std::move(name), std::move(doc), std::move(default_text), false, set};
}

Parameter flag(std::string name, std::string doc, bool& target) {
  const auto set = [name, &target](const std::string& text) {
    if (text != "true" && text != "false") {
      throw Error(fmt::format("{} '{}' is neither true nor false", name, text));
    }
    target = text == "true";
  };
  return {std::move(name), std::move(doc), "false", true, set};
}

class GemmRequest final : public KernelRequest {
 public:
  GemmRequest() { options_.m = options_.n = options_.k = 4096; }

  std::vector<Parameter> parameters() override {
    kernels::GemmOptions& o = options_;
    return {
        count("m", "rows of C", o.m),
        count("n", "columns of C", o.n),
        count("k", "contraction", o.k),
        dtype("dtype", "type of A and B: bf16, fp16, fp32, fp8, ...", "bf16",
              [&o](DType type) { o.dtype = type; }),
        dtype("out-dtype", "type of C; default as A and B, bf16 for fp8", "",
              [&o](DType type) { o.out_dtype = type; }),
        choice("variant", "step of the ladder in docs/kernels.md", "best",
               kernels::gemm_variant_names(),
               [&o](const std::string& text) { o.variant = *kernels::parse_gemm_variant(text); }),
        choice("a-layout", "A stored [K, M] or [M, K]", "km", {"km", "mk"},
               [&o](const std::string& text) { o.a_is_km = text == "km"; }),
        choice("b-layout", "B stored [K, N] or [N, K]", "kn", {"kn", "nk"},
               [&o](const std::string& text) { o.b_is_kn = text == "kn"; }),
        choice("transpose", "an operand whose K is innermost, by", "auto", {"auto", "dma", "tensor"},
               [&o](const std::string& text) {
                 o.transpose = text == "dma"      ? kernels::TransposePath::kDma
                               : text == "tensor" ? kernels::TransposePath::kTensor
                                                  : kernels::TransposePath::kAuto;
               }),
    };
  }
  Placement place(const spec::SystemSpec& system, const lower::Options& lowering) const override {
    return place_gemm(system, options_, lowering);
  }
  trace::Trace build(const spec::CoreSpec& core) const override {
    return kernels::gemm(options_, core);
  }
  double flops() const override { return 2.0 * options_.m * options_.n * options_.k; }

 private:
  kernels::GemmOptions options_;
};

class AttentionRequest final : public KernelRequest {
 public:
  AttentionRequest() {
    options_.q_heads = 16;
    options_.kv_heads = 0;
    options_.q_len = 4096;
  }

  std::vector<Parameter> parameters() override {
    kernels::AttentionOptions& o = options_;
    return {
        count("batch", "sequences", o.batch),
        count("heads", "query heads", o.q_heads),
        count("kv-heads", "key/value heads, fewer = grouped queries; 0 = as heads", o.kv_heads),
        count("seq", "query tokens", o.q_len),
        count("kv-seq", "key/value tokens; 0 = as seq", o.kv_len),
        count("head-dim", "head dimension, at most 128", o.head_dim),
        flag("causal", "mask what lies after the query", o.causal),
        dtype("dtype", "bf16, fp16 or fp32", "bf16", [&o](DType type) { o.dtype = type; }),
        choice("variant", "step of the ladder in docs/kernels.md", "best",
               kernels::attention_variant_names(),
               [&o](const std::string& text) {
                 o.variant = *kernels::parse_attention_variant(text);
               }),
    };
  }
  Placement place(const spec::SystemSpec& system, const lower::Options& lowering) const override {
    return place_attention(system, resolved(), lowering);
  }
  trace::Trace build(const spec::CoreSpec& core) const override {
    return kernels::attention(resolved(), core);
  }
  double flops() const override {
    return 4.0 * static_cast<double>(kernels::attention_pairs(resolved())) * options_.head_dim;
  }

 private:
  [[nodiscard]] kernels::AttentionOptions resolved() const {
    kernels::AttentionOptions options = options_;
    options.kv_heads = options.kv_heads == 0 ? options.q_heads : options.kv_heads;
    options.kv_len = options.kv_len == 0 ? options.q_len : options.kv_len;
    return options;
  }

  kernels::AttentionOptions options_;
};

class RmsNormRequest final : public KernelRequest {
 public:
  RmsNormRequest() {
    options_.tokens = 4096;
    options_.d = 4096;
  }

  std::vector<Parameter> parameters() override {
    kernels::RmsNormOptions& o = options_;
    return {
        count("tokens", "rows", o.tokens),
        count("d", "elements of a row", o.d),
        flag("residual", "norm x + residual, and store the sum", o.residual),
        dtype("dtype", "bf16, fp16 or fp32", "bf16", [&o](DType type) { o.dtype = type; }),
    };
  }
  Placement place(const spec::SystemSpec& system, const lower::Options& lowering) const override {
    return place_rmsnorm(system, options_, lowering);
  }
  trace::Trace build(const spec::CoreSpec& core) const override {
    return kernels::rmsnorm(options_, core);
  }
  double flops() const override { return 0; }

 private:
  kernels::RmsNormOptions options_;
};

class SwigluRequest final : public KernelRequest {
 public:
  SwigluRequest() {
    options_.tokens = 4096;
    options_.f = 4096;
  }

  std::vector<Parameter> parameters() override {
    kernels::SwigluOptions& o = options_;
    return {
        count("tokens", "rows", o.tokens),
        count("f", "elements of a result row; gate and up are twice that", o.f),
        dtype("dtype", "bf16, fp16 or fp32", "bf16", [&o](DType type) { o.dtype = type; }),
    };
  }
  Placement place(const spec::SystemSpec& system, const lower::Options& lowering) const override {
    return place_swiglu(system, options_, lowering);
  }
  trace::Trace build(const spec::CoreSpec& core) const override {
    return kernels::swiglu(options_, core);
  }
  double flops() const override { return 0; }

 private:
  kernels::SwigluOptions options_;
};

}  // namespace

void set_arguments(KernelRequest& request,
                   const std::vector<std::pair<std::string, std::string>>& arguments) {
  const std::vector<Parameter> parameters = request.parameters();
  for (const auto& [name, value] : arguments) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const Parameter& p) { return p.name == name; });
    if (found == parameters.end()) {
      throw Error(fmt::format("the kernel has no parameter '{}'", name));
    }
    found->set(value);
  }
}

std::unique_ptr<KernelRequest> make_kernel_request(const std::string& name) {
  if (name == "gemm") {
    return std::make_unique<GemmRequest>();
  }
  if (name == "attention") {
    return std::make_unique<AttentionRequest>();
  }
  if (name == "rmsnorm") {
    return std::make_unique<RmsNormRequest>();
  }
  if (name == "swiglu") {
    return std::make_unique<SwigluRequest>();
  }
  return nullptr;
}

std::vector<std::string> kernel_names() { return {"attention", "gemm", "rmsnorm", "swiglu"}; }

}  // namespace trnsim::workload
