// The target a Trace names for a core's generation.
#pragma once

#include <string_view>

#include "trnsim/spec/core_spec.h"

namespace trnsim::kernels {

[[nodiscard]] constexpr std::string_view generation_name(spec::Generation generation) {
  switch (generation) {
    case spec::Generation::kTrn1:
      return "trn1";
    case spec::Generation::kTrn2:
      return "trn2";
    case spec::Generation::kTrn3:
      return "trn3";
  }
  return "";
}

}  // namespace trnsim::kernels
