// New rates after flows have come or gone: which flows a change reaches, and their loads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "trnsim/fabric/flow_set.h"

namespace trnsim::fabric {
namespace {

constexpr double kSameRate = 1e-12;
// Relative: full is within this of the capacity, unfair is beyond it.
constexpr double kFair = 1e-10;
// A resource this little used by rounding is idle.
constexpr double kIdle = 1e-9;
// Sums of differences are replaced by a sum of rates after this many.
constexpr std::uint32_t kUpdatesBeforeSum = 256;
// Then whole components are solved.
constexpr int kMostPasses = 6;

}  // namespace

void FlowSet::settle(Femtos now) {
  check_time(now);
  if (dirty_.empty()) {
    return;
  }
  settle_ = ++epoch_;
  touched_.clear();
  changed_ = dirty_;
  for (const RouteId route : dirty_) {
    touch_resources(bundles_[route]);
  }
  for (const std::uint32_t index : touched_) {
    update_slack(resources_[index]);
  }
  if (classes_ > 1 || !settle_nearby(now)) {
    settle_components(now);
  }
  for (const RouteId route : dirty_) {
    bundles_[route].dirty = false;
  }
  dirty_.clear();
  update_loads(now);
  for (const std::uint32_t index : touched_) {
    resources_[index].slack = resources_[index].slack_after;
  }
  drop_stale_wakes();
}

void FlowSet::touch_resources(const Bundle& bundle) {
  for (const Use& use : uses_of(bundle)) {
    Resource& resource = resources_[use.resource];
    if (resource.touched != settle_) {
      resource.touched = settle_;
      touched_.push_back(use.resource);
    }
  }
}

void FlowSet::update_slack(Resource& resource) {
  double most = 0;
  for (const OnResource& on : resource.bundles) {
    most += uses_[on.use].multiplicity * bundles_[on.bundle].bound;
  }
  resource.slack_after = most <= resource.capacity * (1 + kSameRate);
  // A change that makes a resource slack still reaches the flows it held back until now.
  resource.slack = resource.slack && resource.slack_after;
}

bool FlowSet::is_full(const Resource& resource, double load) {
  return load >= resource.capacity * (1 - kFair);
}

void FlowSet::settle_components(Femtos now) {
  settle_ = ++epoch_;
  for (const RouteId route : dirty_) {
    collect(route);
    if (!component_.empty()) {
      capacities_.clear();
      for (const std::uint32_t resource : frontier_) {
        capacities_.push_back(resources_[resource].capacity);
      }
      fill_table();
      solver_.solve(capacities_, flows_, rates_);
      apply_rates(now);
    }
  }
}

// Flows that the changed one reaches through resources that could be full, itself included; none if it
// was found before.
void FlowSet::collect(RouteId start) {
  component_.clear();
  frontier_.clear();
  const auto reach = [&](RouteId route) {
    Bundle& bundle = bundles_[route];
    if (bundle.found == settle_) {
      return;
    }
    bundle.found = settle_;
    if (!bundle.flows.empty()) {
      component_.push_back(route);
    }
    for (const Use& use : uses_of(bundle)) {
      Resource& resource = resources_[use.resource];
      if (resource.found != settle_ && !resource.slack) {
        resource.found = settle_;
        resource.local = static_cast<std::uint32_t>(frontier_.size());
        frontier_.push_back(use.resource);
      }
    }
  };
  reach(start);
  for (std::size_t head = 0; head < frontier_.size(); ++head) {
    for (const OnResource& on : resources_[frontier_[head]].bundles) {
      reach(on.bundle);
    }
  }
}

// Rates are max-min fair exactly when every flow is at its bound or has a full resource on which none has
// a higher level (rate by weight). Frees flows until that holds again; false when it takes too long.
bool FlowSet::settle_nearby(Femtos now) {
  component_.clear();
  for (const RouteId route : dirty_) {
    bundles_[route].found = settle_;
    if (!bundles_[route].flows.empty()) {
      component_.push_back(route);
    }
  }
  for (const std::uint32_t index : touched_) {
    free_held(index);
  }
  for (int pass = 0; pass < kMostPasses; ++pass) {
    const std::size_t free = component_.size();
    gather_residuals();
    fill_table();
    solver_.solve(capacities_, flows_, rates_);
    free_unfair();
    if (component_.size() == free) {
      apply_rates(now);
      return true;
    }
  }
  return false;
}

void FlowSet::free_nearby(RouteId route) {
  bundles_[route].found = settle_;
  component_.push_back(route);
}

// Those whose rate a changed resource decided.
void FlowSet::free_held(std::uint32_t resource) {
  if (resources_[resource].slack || !is_full(resources_[resource], resources_[resource].rate)) {
    return;
  }
  for (const OnResource& on : resources_[resource].bundles) {
    if (bundles_[on.bundle].found != settle_ && bundles_[on.bundle].bottleneck == resource) {
      free_nearby(on.bundle);
    }
  }
}

// What flows that keep their rate leave of the resources of the others.
void FlowSet::gather_residuals() {
  ++epoch_;
  frontier_.clear();
  fixed_.clear();
  const auto take_out = [&](const Bundle& bundle) {
    for (const Use& use : uses_of(bundle)) {
      Resource& resource = resources_[use.resource];
      if (resource.slack) {
        continue;
      }
      if (resource.found != epoch_) {
        resource.found = epoch_;
        resource.local = static_cast<std::uint32_t>(frontier_.size());
        frontier_.push_back(use.resource);
        fixed_.push_back(resource.rate);
      }
      fixed_[resource.local] -= use.multiplicity * bundle.applied;
    }
  };
  for (const RouteId route : component_) {
    take_out(bundles_[route]);
  }
  for (const RouteId route : dirty_) {
    if (bundles_[route].flows.empty()) {
      take_out(bundles_[route]);
    }
  }
  capacities_.clear();
  for (std::size_t i = 0; i < frontier_.size(); ++i) {
    const double capacity = resources_[frontier_[i]].capacity;
    fixed_[i] = fixed_[i] < kIdle * capacity ? 0 : fixed_[i];
    capacities_.push_back(std::max(capacity - fixed_[i], 0.0));
  }
}

// Adds flows whose bottleneck is none any more, or that have more than one they now hold back.
void FlowSet::free_unfair() {
  moved_.assign(frontier_.size(), 0);
  highest_.assign(frontier_.size(), 0);
  held_.assign(frontier_.size(), -1);
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const double level = rates_[i] / flows_.weights[i];
    for (std::uint32_t u = flows_.first[i]; u < flows_.first[i + 1]; ++u) {
      const Use& use = flows_.uses[u];
      moved_[use.resource] += use.multiplicity * rates_[i];
      highest_[use.resource] = std::max(highest_[use.resource], level);
    }
    if (solver_.bottlenecks()[i] != kNone) {
      held_[solver_.bottlenecks()[i]] = level;
    }
  }
  for (std::size_t i = 0; i < frontier_.size(); ++i) {
    const Resource& resource = resources_[frontier_[i]];
    const bool holds = held_[i] >= 0;
    if (!holds && !is_full(resource, resource.rate)) {
      continue;
    }
    const bool full = is_full(resource, fixed_[i] + moved_[i]);
    for (const OnResource& on : resource.bundles) {
      const Bundle& bundle = bundles_[on.bundle];
      if (bundle.found == settle_) {
        continue;
      }
      const double level = bundle.rate / bundle.weight;
      const bool loose = bundle.bottleneck == frontier_[i] &&
                         (!full || level < highest_[i] * (1 - kFair));
      if (loose || (holds && level > held_[i] * (1 + kFair))) {
        free_nearby(on.bundle);
      }
    }
  }
}

// The flows of component_ on the resources of frontier_.
void FlowSet::fill_table() {
  flows_.first.assign(1, 0);
  flows_.uses.clear();
  flows_.weights.clear();
  flows_.caps.clear();
  flows_.priorities.clear();
  bool one_class = true;
  for (const RouteId route : component_) {
    const Bundle& bundle = bundles_[route];
    for (const Use& use : uses_of(bundle)) {
      if (!resources_[use.resource].slack) {
        flows_.uses.push_back({resources_[use.resource].local, use.multiplicity});
      }
    }
    flows_.first.push_back(static_cast<std::uint32_t>(flows_.uses.size()));
    flows_.weights.push_back(bundle.weight * static_cast<double>(bundle.flows.size()));
    // A resource left out as slack bounds the flows it would be full of alone.
    flows_.caps.push_back(resources_[bundle.tightest].slack
                              ? bundle.bound
                              : std::numeric_limits<double>::infinity());
    flows_.priorities.push_back(bundle.priority);
    one_class = one_class && bundle.priority == flows_.priorities.front();
  }
  if (one_class) {
    flows_.priorities.clear();
  }
}

void FlowSet::apply_rates(Femtos now) {
  for (std::size_t i = 0; i < component_.size(); ++i) {
    const std::uint32_t bottleneck = solver_.bottlenecks()[i];
    const auto flows = static_cast<double>(bundles_[component_[i]].flows.size());
    apply(component_[i], rates_[i] / flows, bottleneck == kNone ? kNone : frontier_[bottleneck],
          now);
  }
}

void FlowSet::apply(RouteId route, double rate, std::uint32_t bottleneck, Femtos now) {
  Bundle& bundle = bundles_[route];
  bundle.bottleneck = bottleneck;
  if (std::abs(rate - bundle.rate) > kSameRate * rate) {
    bundle.served += bundle.rate * (now - bundle.since).ns();
    bundle.since = now;
    bundle.rate = rate;
    changed_.push_back(route);
    push_wake(route);
  } else if (bundle.dirty) {
    push_wake(route);
  }
}

void FlowSet::update_loads(Femtos now) {
  for (const RouteId route : changed_) {
    Bundle& bundle = bundles_[route];
    const double total = bundle.rate * static_cast<double>(bundle.flows.size());
    const double change = total - bundle.applied;
    bundle.applied = total;
    for (const Use& use : uses_of(bundle)) {
      Resource& resource = resources_[use.resource];
      if (resource.since != now) {
        const ResourceLoad until_now = load(use.resource, now);
        resource.bytes = until_now.bytes;
        resource.busy = until_now.busy;
        resource.since = now;
      }
      resource.rate += use.multiplicity * change;
      ++resource.updates;
    }
  }
  for (const RouteId route : changed_) {
    for (const Use& use : uses_of(bundles_[route])) {
      Resource& resource = resources_[use.resource];
      if (resource.updates >= kUpdatesBeforeSum || resource.bundles.empty()) {
        resource.updates = 0;
        resource.rate = 0;
        for (const OnResource& on : resource.bundles) {
          resource.rate += uses_[on.use].multiplicity * bundles_[on.bundle].applied;
        }
      }
    }
  }
}

ResourceLoad FlowSet::load(std::uint32_t resource, Femtos now) const {
  const Resource& of = resources_[resource];
  const Femtos span = now - of.since;
  const bool idle = of.rate <= kIdle * of.capacity;
  return {idle ? 0 : of.rate, of.bytes + of.rate * span.ns(), idle ? of.busy : of.busy + span};
}

}  // namespace trnsim::fabric
