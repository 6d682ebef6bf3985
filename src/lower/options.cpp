// Names of the lowering policies.
#include "trnsim/lower/options.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "trnsim/base/error.h"

namespace trnsim::lower {
namespace {

// The number behind `prefix`, 1 to 4096.
std::optional<std::uint32_t> number_after(std::string_view prefix, const std::string& text) {
  if (!text.starts_with(prefix)) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data() + prefix.size(), end, value);
  return code == std::errc{} && at == end && value >= 1 && value <= 4096 ? std::optional(value)
                                                                         : std::nullopt;
}

}  // namespace

void parse_order(const std::string& text, Options& options) {
  options.compiled = text == "compiled";
  if (text == "program") {
    options.window = 1;
  } else if (options.compiled) {
    options.window = kCompilerWindow;
  } else if (const auto window = number_after("window:", text)) {
    options.window = *window;
  } else {
    throw Error(fmt::format("order '{}' is not valid", text), {},
                "program, compiled or window:1..4096");
  }
}

EnginePolicy parse_engine_policy(const std::string& text) {
  if (text == "rule") {
    return EnginePolicy::kRule;
  }
  if (text == "balance") {
    return EnginePolicy::kBalance;
  }
  throw Error(fmt::format("engine policy '{}' is not valid", text), {}, "rule or balance");
}

void parse_alloc_policy(const std::string& text, Options& options) {
  if (text == "rotate") {
    options.alloc = AllocPolicy::kRotate;
  } else if (text == "first-fit") {
    options.alloc = AllocPolicy::kFirstFit;
  } else if (text == "unlimited") {
    options.alloc = AllocPolicy::kUnlimited;
  } else if (const auto depth = number_after("depth:", text)) {
    options.alloc = AllocPolicy::kDepth;
    options.depth = *depth;
  } else {
    throw Error(fmt::format("allocation policy '{}' is not valid", text), {},
                "rotate, first-fit, unlimited or depth:1..4096");
  }
}

std::string to_string(const Options& options) {
  const auto alloc = [&options]() -> std::string {
    switch (options.alloc) {
      case AllocPolicy::kRotate:
        return "rotate";
      case AllocPolicy::kFirstFit:
        return "first-fit";
      case AllocPolicy::kUnlimited:
        return "unlimited";
      case AllocPolicy::kDepth:
        return fmt::format("depth:{}", options.depth);
    }
    return "";
  };
  const std::string order =
      options.replay        ? "replay"
      : options.compiled    ? "compiled"
      : options.window <= 1 ? "program" : fmt::format("window:{}", options.window);
  return fmt::format("order={} engines={} alloc={}", order,
                     options.engines == EnginePolicy::kRule ? "rule" : "balance", alloc());
}

}  // namespace trnsim::lower
