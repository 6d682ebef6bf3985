// What a Trace leaves open and lowering decides.
#pragma once

#include <cstdint>
#include <string>

namespace trnsim::lower {

enum class EnginePolicy : std::uint8_t { kRule, kBalance };
enum class AllocPolicy : std::uint8_t { kRotate, kFirstFit, kUnlimited };

struct Options {
  std::uint32_t window = 1;  // order: 1 = program order, n = look-ahead of n instructions per engine
  EnginePolicy engines = EnginePolicy::kRule;
  AllocPolicy alloc = AllocPolicy::kRotate;
};

// "program" or "window:N" (N >= 1); "rule" or "balance"; "rotate", "first-fit" or "unlimited". Throw Error.
[[nodiscard]] std::uint32_t parse_order(const std::string& text);
[[nodiscard]] EnginePolicy parse_engine_policy(const std::string& text);
[[nodiscard]] AllocPolicy parse_alloc_policy(const std::string& text);
[[nodiscard]] std::string to_string(const Options& options);

}  // namespace trnsim::lower
