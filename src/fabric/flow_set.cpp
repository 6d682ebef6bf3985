// Bundles of flows, the components a change reaches, and completions.
#include "trnsim/fabric/flow_set.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "trnsim/base/error.h"

namespace trnsim::fabric {
namespace {

// How far rates may be from fair, relative.
constexpr double kFair = 1e-10;
constexpr std::uint64_t kGrid = 1000;      // femtoseconds
constexpr double kFemtosPerNs = 1e6;
constexpr double kLongest = 9e18;          // femtoseconds; later is never
// The heap of wake-ups is cleaned when it has this many entries.
constexpr std::size_t kWakesPerBundle = 4;
constexpr std::size_t kLeastWakes = 64;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value;
  hash *= 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

std::uint64_t hash_of(std::span<const Use> uses, double weight, std::uint8_t priority) {
  std::uint64_t hash = mix(priority, std::bit_cast<std::uint64_t>(weight));
  for (const Use& use : uses) {
    hash = mix(hash, use.resource);
    hash = mix(hash, std::bit_cast<std::uint64_t>(use.multiplicity));
  }
  return hash;
}

std::vector<double> rates_of(const NetworkPlan& plan) {
  std::vector<double> rates;
  for (const auto& resource : plan.resources()) {
    rates.push_back(resource.GBps);
  }
  return rates;
}

}  // namespace

FlowSet::FlowSet(std::vector<double> capacities) : table_(64, kNone), class_bundles_(256, 0) {
  resources_.resize(capacities.size());
  for (std::size_t r = 0; r < capacities.size(); ++r) {
    TRNSIM_CHECK(capacities[r] >= 0, "capacity {} of resource {}", capacities[r], r);
    resources_[r].capacity = capacities[r];
  }
}

FlowSet::FlowSet(const NetworkPlan& plan) : FlowSet(rates_of(plan)) {}

std::size_t FlowSet::find_slot(std::span<const Use> uses, double weight,
                               std::uint8_t priority) const {
  std::size_t slot = hash_of(uses, weight, priority) & (table_.size() - 1);
  while (table_[slot] != kNone) {
    const Bundle& bundle = bundles_[table_[slot]];
    const std::span<const Use> known = uses_of(bundle);
    if (bundle.weight == weight && bundle.priority == priority &&
        std::equal(known.begin(), known.end(), uses.begin(), uses.end(),
                   [](const Use& a, const Use& b) {
                     return a.resource == b.resource && a.multiplicity == b.multiplicity;
                   })) {
      break;
    }
    slot = (slot + 1) & (table_.size() - 1);
  }
  return slot;
}

void FlowSet::grow_table() {
  table_.assign(table_.size() * 2, kNone);
  for (RouteId id = 0; id < bundles_.size(); ++id) {
    table_[find_slot(uses_of(bundles_[id]), bundles_[id].weight, bundles_[id].priority)] = id;
  }
}

RouteId FlowSet::route(std::span<const Use> uses, double weight, std::uint8_t priority) {
  const std::size_t slot = find_slot(uses, weight, priority);
  if (table_[slot] != kNone) {
    return table_[slot];
  }
  TRNSIM_CHECK(!uses.empty() && weight > 0, "a flow of weight {} over {} resources", weight,
               uses.size());
  Bundle bundle;
  bundle.first_use = static_cast<std::uint32_t>(uses_.size());
  bundle.use_count = static_cast<std::uint32_t>(uses.size());
  bundle.weight = weight;
  bundle.priority = priority;
  bundle.bound = std::numeric_limits<double>::infinity();
  for (const Use& use : uses) {
    TRNSIM_CHECK(use.resource < resources_.size() && use.multiplicity > 0,
                 "{} times resource {} of {}", use.multiplicity, use.resource, resources_.size());
    const double alone = resources_[use.resource].capacity / use.multiplicity;
    if (alone < bundle.bound) {
      bundle.bound = alone;
      bundle.tightest = use.resource;
    }
    uses_.push_back(use);
    place_.push_back(kNone);
  }
  const auto id = static_cast<RouteId>(bundles_.size());
  bundles_.push_back(std::move(bundle));
  table_[slot] = id;
  if (2 * bundles_.size() > table_.size()) {
    grow_table();
  }
  return id;
}

void FlowSet::check_time(Femtos now) const {
  TRNSIM_CHECK(now <= next_completion() && (dirty_.empty() || now == dirty_since_),
               "flows brought to {} fs past a change at {} fs", now.count,
               (dirty_.empty() ? next_completion() : dirty_since_).count);
}

void FlowSet::mark(RouteId route, Femtos now) {
  dirty_since_ = now;
  if (!bundles_[route].dirty) {
    bundles_[route].dirty = true;
    dirty_.push_back(route);
  }
}

FlowId FlowSet::add(Femtos now, RouteId route, std::uint64_t bytes) {
  check_time(now);
  Bundle& bundle = bundles_[route];
  if (bundle.flows.empty()) {
    attach(route);
    bundle.served = 0;
    bundle.since = now;
  }
  const double served = bundle.served + bundle.rate * (now - bundle.since).ns();
  bundle.flows.push_back({served + static_cast<double>(bytes), next_id_});
  std::push_heap(bundle.flows.begin(), bundle.flows.end(), std::greater<>());
  ++active_flows_;
  mark(route, now);
  return next_id_++;
}

void FlowSet::attach(RouteId route) {
  const Bundle& bundle = bundles_[route];
  for (std::uint32_t u = bundle.first_use; u < bundle.first_use + bundle.use_count; ++u) {
    std::vector<OnResource>& list = resources_[uses_[u].resource].bundles;
    place_[u] = static_cast<std::uint32_t>(list.size());
    list.push_back({route, u});
  }
  ++active_bundles_;
  if (class_bundles_[bundle.priority]++ == 0) {
    ++classes_;
  }
}

void FlowSet::detach(RouteId route) {
  const Bundle& bundle = bundles_[route];
  for (std::uint32_t u = bundle.first_use; u < bundle.first_use + bundle.use_count; ++u) {
    std::vector<OnResource>& list = resources_[uses_[u].resource].bundles;
    list[place_[u]] = list.back();
    place_[list.back().use] = place_[u];
    list.pop_back();
  }
  --active_bundles_;
  if (--class_bundles_[bundle.priority] == 0) {
    --classes_;
  }
}

Femtos FlowSet::completion(const Bundle& bundle, double target) const {
  const double left = std::max(target - bundle.served, 0.0);
  const double span = left == 0 ? 0 : left / bundle.rate * kFemtosPerNs;
  if (!(span < kLongest)) {
    return kNever;
  }
  // A time that is on the grid up to rounding stays there.
  const double least = std::max(std::ceil(span * (1 - kFair) - 1), 0.0);
  const std::uint64_t exact = bundle.since.count + static_cast<std::uint64_t>(least);
  return {(exact + kGrid - 1) / kGrid * kGrid};
}

Femtos FlowSet::next_completion() const {
  return wakes_.empty() ? kNever : wakes_.front().time;
}

const std::vector<FlowId>& FlowSet::take_completed(Femtos now) {
  check_time(now);
  completed_.clear();
  while (!wakes_.empty() && wakes_.front().time <= now) {
    const RouteId route = wakes_.front().bundle;
    Bundle& bundle = bundles_[route];
    ++bundle.generation;
    drop_stale_wakes();
    const double served = bundle.served + bundle.rate * (now - bundle.since).ns();
    while (!bundle.flows.empty() && completion(bundle, bundle.flows.front().target) <= now) {
      // The rounding of the completion moved this much too many bytes.
      const double excess = served - bundle.flows.front().target;
      for (const Use& use : uses_of(bundle)) {
        resources_[use.resource].bytes -= use.multiplicity * excess;
      }
      completed_.push_back(bundle.flows.front().id);
      std::pop_heap(bundle.flows.begin(), bundle.flows.end(), std::greater<>());
      bundle.flows.pop_back();
      --active_flows_;
    }
    if (bundle.flows.empty()) {
      bundle.rate = 0;
      detach(route);
    }
    mark(route, now);
  }
  std::sort(completed_.begin(), completed_.end());
  return completed_;
}

void FlowSet::push_wake(RouteId route) {
  Bundle& bundle = bundles_[route];
  ++bundle.generation;
  const Femtos time = completion(bundle, bundle.flows.front().target);
  if (time == kNever) {
    return;
  }
  if (wakes_.size() > kWakesPerBundle * active_bundles_ + kLeastWakes) {
    std::erase_if(wakes_, [&](const Wake& wake) {
      return wake.generation != bundles_[wake.bundle].generation;
    });
    std::make_heap(wakes_.begin(), wakes_.end(), std::greater<>());
  }
  wakes_.push_back({time, route, bundle.generation});
  std::push_heap(wakes_.begin(), wakes_.end(), std::greater<>());
}

void FlowSet::drop_stale_wakes() {
  while (!wakes_.empty() &&
         wakes_.front().generation != bundles_[wakes_.front().bundle].generation) {
    std::pop_heap(wakes_.begin(), wakes_.end(), std::greater<>());
    wakes_.pop_back();
  }
}

}  // namespace trnsim::fabric
