// Names of the lowering policies.
#include "trnsim/lower/options.h"

#include <charconv>

#include "trnsim/base/error.h"

namespace trnsim::lower {

std::uint32_t parse_order(const std::string& text) {
  if (text == "program") {
    return 1;
  }
  constexpr std::string_view kPrefix = "window:";
  if (text.starts_with(kPrefix)) {
    std::uint32_t window = 0;
    const char* begin = text.data() + kPrefix.size();
    const char* end = text.data() + text.size();
    const auto [at, code] = std::from_chars(begin, end, window);
    if (code == std::errc{} && at == end && window >= 1 && window <= 4096) {
      return window;
    }
  }
  throw Error(fmt::format("order '{}' is not valid", text), {}, "program or window:1..4096");
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

AllocPolicy parse_alloc_policy(const std::string& text) {
  if (text == "rotate") {
    return AllocPolicy::kRotate;
  }
  if (text == "first-fit") {
    return AllocPolicy::kFirstFit;
  }
  if (text == "unlimited") {
    return AllocPolicy::kUnlimited;
  }
  throw Error(fmt::format("allocation policy '{}' is not valid", text), {},
              "rotate, first-fit or unlimited");
}

std::string to_string(const Options& options) {
  const char* alloc = options.alloc == AllocPolicy::kRotate     ? "rotate"
                      : options.alloc == AllocPolicy::kFirstFit ? "first-fit"
                                                                : "unlimited";
  const std::string order =
      options.window <= 1 ? "program" : fmt::format("window:{}", options.window);
  return fmt::format("order={} engines={} alloc={}", order,
                     options.engines == EnginePolicy::kRule ? "rule" : "balance", alloc);
}

}  // namespace trnsim::lower
