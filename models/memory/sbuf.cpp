// Exclusion rules of SBUF and PSUM.
#include "sbuf.h"

namespace trnsim::models {
namespace {

using trace::Engine;

std::size_t index(Engine engine) { return static_cast<std::size_t>(engine); }

}  // namespace

Sbuf::Sbuf(const sc_core::sc_module_name& name, const spec::SbufSpec& spec)
    : sc_module(name), spec_(spec) {}

Femtos Sbuf::earliest(Femtos now, Engine engine, std::uint8_t /*banks*/) const {
  if (!spec_.vector_gpsimd_exclusive) {
    return now;
  }
  if (engine == Engine::kVector) {
    return max(now, until_[index(Engine::kGpSimd)]);
  }
  if (engine == Engine::kGpSimd) {
    return max(now, until_[index(Engine::kVector)]);
  }
  return now;
}

void Sbuf::hold(Engine engine, std::uint8_t /*banks*/, Femtos until) { until_[index(engine)] = until; }

Femtos Sbuf::held_until(Engine engine) const { return until_[index(engine)]; }

Psum::Psum(const sc_core::sc_module_name& name, const spec::PsumSpec& spec)
    : sc_module(name), spec_(spec) {}

Femtos Psum::earliest(Femtos now, Engine engine, std::uint8_t banks) const {
  if (engine != Engine::kVector && engine != Engine::kScalar) {
    return now;
  }
  const Access& other = access_[index(engine == Engine::kVector ? Engine::kScalar : Engine::kVector)];
  const bool conflict = spec_.vector_scalar_exclusive ||
                        (spec_.vector_scalar_bank_exclusive && (other.banks & banks) != 0);
  return conflict ? max(now, other.until) : now;
}

void Psum::hold(Engine engine, std::uint8_t banks, Femtos until) {
  access_[index(engine)] = {until, banks};
}

Femtos Psum::held_until(Engine engine) const { return access_[index(engine)].until; }

}  // namespace trnsim::models
