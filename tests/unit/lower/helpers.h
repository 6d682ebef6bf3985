// Shipped cores, short names, and views of a Program for the lowering tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/lower/lower.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/builder.h"

namespace trnsim::lower {

inline void PrintTo(const Wait& wait, std::ostream* out) {
  *out << "{" << wait.queue << ", " << wait.count << "}";
}

namespace test {

using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::Region;
using trace::Role;
using trace::TraceBuilder;
using trace::View;

inline constexpr DType kF32 = DType::kFloat32;
inline constexpr DType kBf16 = DType::kBFloat16;

inline constexpr QueueId kTensorQ = 0;
inline constexpr QueueId kVectorQ = 1;
inline constexpr QueueId kScalarQ = 2;
inline constexpr QueueId kGpSimdQ = 3;
inline constexpr QueueId kSyncQ = 4;

inline const spec::CoreSpec& core_of(const std::string& system) {
  static std::map<std::string, spec::CoreSpec> loaded;
  const auto found = loaded.find(system);
  return found != loaded.end()
             ? found->second
             : loaded.emplace(system, spec::load_system(system).spec.chip.core).first->second;
}
inline const spec::CoreSpec& trn1() {
  return core_of("trn1.2xlarge");
}
inline const spec::CoreSpec& trn2() {
  return core_of("trn2-core");
}
inline const spec::CoreSpec& trn3() {
  return core_of("trn3-core");
}

// trn2 with `bytes` of SBUF per partition; a multiple of 1 KiB.
inline spec::CoreSpec with_sbuf(std::uint32_t bytes) {
  spec::CoreSpec core = trn2();
  core.sbuf.kib_per_partition = bytes / 1024;
  core.sbuf.reserved_bytes_per_partition = 0;
  return core;
}

inline const std::vector<Step>& stream(const Program& program, Engine engine) {
  return program.streams[static_cast<std::size_t>(engine)];
}

inline std::vector<Wait> waits_of(const Program& program, const Step& step) {
  const auto first = program.waits.begin() + step.first_wait;
  return {first, first + step.num_waits};
}

// Waits of step `k` of the engine, by ascending queue.
inline std::vector<Wait> waits(const Program& program, Engine engine, std::size_t k) {
  return waits_of(program, stream(program, engine).at(k));
}

inline QueueId dma_queue(const Program& program, const std::string& name) {
  for (std::uint32_t q = 0; q < program.dma_queues.size(); ++q) {
    if (program.dma_queues[q].name == name) {
      return kFirstDmaQueue + q;
    }
  }
  ADD_FAILURE() << "no queue " << name;
  return 0;
}

// Text of the Error that `call` throws, "" if it throws none.
template <typename Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A small generator with a fixed sequence (the standard distributions differ between libraries).
class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435761U + 12345U) {}
  // 0 .. n - 1
  std::uint32_t below(std::uint32_t n) {
    state_ = state_ * 1664525U + 1013904223U;
    return (state_ >> 8) % n;
  }

 private:
  std::uint32_t state_;
};

}  // namespace test
}  // namespace trnsim::lower
