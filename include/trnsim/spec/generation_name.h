// The name of a core's generation in traces, the NKI front end and reports.
#pragma once

#include <string_view>

#include "trnsim/spec/core_spec.h"

namespace trnsim::spec {

[[nodiscard]] constexpr std::string_view generation_name(Generation generation) {
  switch (generation) {
    case Generation::kTrn1:
      return "trn1";
    case Generation::kTrn2:
      return "trn2";
    case Generation::kTrn3:
      return "trn3";
  }
  return "";
}

}  // namespace trnsim::spec
