// Order of movements by everything but their size: the key of tables of routes.
#pragma once

#include <tuple>

#include "trnsim/fabric/movement.h"

namespace trnsim::models {

struct ByWay {
  bool operator()(const fabric::Movement& a, const fabric::Movement& b) const {
    const auto key = [](const fabric::Movement& m) {
      return std::tie(m.from, m.to, m.also_from, m.also_to, m.reduce, m.space, m.priority);
    };
    return key(a) < key(b);
  }
};

}  // namespace trnsim::models
