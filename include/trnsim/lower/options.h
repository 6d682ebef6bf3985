// What a Trace leaves open and lowering decides.
#pragma once

#include <cstdint>
#include <string>

namespace trnsim::lower {

// How far a compiler is taken to look ahead. On the times of NKI beta 1 kernels (data/validation/ladders.yaml) 48 to
// 160 do about as well.
inline constexpr std::uint32_t kCompilerWindow = 96;

enum class EnginePolicy : std::uint8_t { kRule, kBalance };
enum class AllocPolicy : std::uint8_t { kRotate, kFirstFit, kUnlimited, kDepth };

struct Options {
  std::uint32_t window = 1;  // order: 1 = program order, n = look-ahead of n instructions
  bool compiled = false;     // as the compiler of NKI beta 1: no needless copies out of PSUM, arguments by GpSimd
  EnginePolicy engines = EnginePolicy::kRule;
  AllocPolicy alloc = AllocPolicy::kRotate;
  std::uint32_t depth = 2;         // kDepth: buffers of each allocation site
  bool replay = false;             // waits are the trace's edges instead of what the accesses imply
};

// "program", "window:N" (N >= 1) or "compiled", which sets window, too; "rule" or "balance"; "rotate", "first-fit",
// "unlimited" or "depth:K" (K buffers per allocation site, K >= 1). Throw Error.
void parse_order(const std::string& text, Options& options);
[[nodiscard]] EnginePolicy parse_engine_policy(const std::string& text);
// Sets alloc and depth.
void parse_alloc_policy(const std::string& text, Options& options);
[[nodiscard]] std::string to_string(const Options& options);

}  // namespace trnsim::lower
