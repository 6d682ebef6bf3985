// Max-min fair division of one capacity among flows with upper bounds. Pure.
#pragma once

#include <span>
#include <vector>

namespace trnsim::models {

// demands: upper bound of each flow (same unit as capacity, > 0). Returns each flow's rate: nobody above
// its demand, sum at most capacity, and no flow can grow without shrinking a smaller or equal one.
void max_min_share(double capacity, std::span<const double> demands, std::vector<double>& rates);

}  // namespace trnsim::models
