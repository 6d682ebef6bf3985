// Exclusion rules of SBUF and PSUM.
#include "sbuf.h"

namespace trnsim::models {
namespace {

using trace::Engine;

std::size_t index(Engine engine) { return static_cast<std::size_t>(engine); }

}  // namespace

void PortBook::hold(Engine engine, std::uint8_t banks, Femtos until) {
  access_[index(engine)] = {until, banks, 0, kNever, Femtos{0}};
}

void PortBook::queue_up(Engine engine, std::uint8_t banks, Femtos since, Femtos retry) {
  Access& access = access_[index(engine)];
  access.queued_banks = banks;
  access.since = since;
  access.retry = retry;
}

Femtos PortBook::earliest_beside(Femtos now, Engine engine, Engine other, std::uint8_t banks,
                                 bool all_banks) const {
  const Access& mine = access_[index(engine)];
  const Access& theirs = access_[index(other)];
  Femtos free = now;
  if (all_banks || (theirs.banks & banks) != 0) {
    free = max(free, theirs.until);
  }
  // Whoever was refused first goes first.
  const Femtos my_request = mine.queued_banks != 0 ? mine.since : now;
  const bool queued = theirs.queued_banks != 0 && theirs.since < my_request && theirs.retry >= free;
  if (queued && (all_banks || (theirs.queued_banks & banks) != 0)) {
    free = theirs.retry + Femtos{1};
  }
  return free;
}

Femtos PortBook::held_until(Engine engine) const { return access_[index(engine)].until; }

Sbuf::Sbuf(const sc_core::sc_module_name& name, const spec::SbufSpec& spec)
    : sc_module(name), spec_(spec) {}

Femtos Sbuf::earliest(Femtos now, Engine engine, std::uint8_t banks) const {
  if (!spec_.vector_gpsimd_exclusive) {
    return now;
  }
  if (engine == Engine::kVector) {
    return book_.earliest_beside(now, engine, Engine::kGpSimd, banks, true);
  }
  if (engine == Engine::kGpSimd) {
    return book_.earliest_beside(now, engine, Engine::kVector, banks, true);
  }
  return now;
}

void Sbuf::queue_up(Engine engine, std::uint8_t banks, Femtos since, Femtos retry) {
  book_.queue_up(engine, banks, since, retry);
}

void Sbuf::hold(Engine engine, std::uint8_t banks, Femtos until) {
  book_.hold(engine, banks, until);
}

Femtos Sbuf::held_until(Engine engine) const { return book_.held_until(engine); }

Psum::Psum(const sc_core::sc_module_name& name, const spec::PsumSpec& spec)
    : sc_module(name), spec_(spec) {}

Femtos Psum::earliest(Femtos now, Engine engine, std::uint8_t banks) const {
  const bool excludes = spec_.vector_scalar_exclusive || spec_.vector_scalar_bank_exclusive;
  if (!excludes || (engine != Engine::kVector && engine != Engine::kScalar)) {
    return now;
  }
  const Engine other = engine == Engine::kVector ? Engine::kScalar : Engine::kVector;
  return book_.earliest_beside(now, engine, other, banks, spec_.vector_scalar_exclusive);
}

void Psum::queue_up(Engine engine, std::uint8_t banks, Femtos since, Femtos retry) {
  book_.queue_up(engine, banks, since, retry);
}

void Psum::hold(Engine engine, std::uint8_t banks, Femtos until) {
  book_.hold(engine, banks, until);
}

Femtos Psum::held_until(Engine engine) const { return book_.held_until(engine); }

}  // namespace trnsim::models
