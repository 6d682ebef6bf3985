// Flows that come and go and share resources max-min fairly, in simulated time. No SystemC, no clock of
// its own: the caller says what time it is and wakes at next_completion().
//
//   at an instant:  take_completed(now), add(now, ...) as often as needed, settle(now) once
//
// settle() computes rates again only for flows that a change reaches. With one priority class: those the
// changed resources held back, with all others as they are; then those that this treats unfairly, until
// every flow has its bottleneck again. With several: all that are connected through resources that
// could be full (a resource whose flows together cannot fill it does not connect).
// Flows with equal uses, weight and priority are one bundle with one rate, and cost one.
// Rates are fair to 1e-10. Times of completion are rounded up to a picosecond; bytes and busy time of a
// resource are exact up to rounding of doubles. Same calls, same results, bit for bit.
// Trustworthy: the time by which a set of flows is done. Single flows within it: indicative
// (interconnect.md 1.5).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trnsim/base/units.h"
#include "trnsim/fabric/max_min.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::fabric {

using FlowId = std::uint64_t;    // in the order of add()
using RouteId = std::uint32_t;   // one set of uses with weight and priority

struct ResourceLoad {
  double GBps = 0;               // now
  double bytes = 0;              // since the start, multiplicities counted
  Femtos busy{0};                // time with a rate above zero
};

class FlowSet {
 public:
  // `capacities` in GB/s.
  explicit FlowSet(std::vector<double> capacities);
  explicit FlowSet(const NetworkPlan& plan);

  // The same arguments give the same id. `uses`: at least one, multiplicities > 0. weight > 0.
  RouteId route(std::span<const Use> uses, double weight = 1, std::uint8_t priority = 0);
  // A flow of `bytes` that starts at `now`.
  FlowId add(Femtos now, RouteId route, std::uint64_t bytes);
  FlowId add(Femtos now, std::span<const Use> uses, std::uint64_t bytes, double weight = 1,
             std::uint8_t priority = 0) {
    return add(now, route(uses, weight, priority), bytes);
  }
  // Makes the changes of this instant effective. `now` must not be after next_completion(), and no
  // time may pass between a change and settle().
  void settle(Femtos now);
  // Of the flows after the last settle(); kNever when there are none or none moves.
  [[nodiscard]] Femtos next_completion() const;
  // Removes the flows that are done at `now`; ids ascending. The reference holds until the next call.
  const std::vector<FlowId>& take_completed(Femtos now);

  [[nodiscard]] std::size_t active() const { return active_flows_; }
  // GB/s of each flow of a route that has any, as of the last settle().
  [[nodiscard]] double rate(RouteId route) const { return bundles_[route].rate; }
  [[nodiscard]] ResourceLoad load(std::uint32_t resource, Femtos now) const;
  [[nodiscard]] std::size_t resources() const { return resources_.size(); }

 private:
  struct Pending {
    double target = 0;           // of Bundle::served at which the flow is done
    FlowId id = 0;
    friend bool operator>(const Pending& a, const Pending& b) {
      return a.target != b.target ? a.target > b.target : a.id > b.id;
    }
  };
  struct Bundle {
    std::uint32_t first_use = 0;
    std::uint32_t use_count = 0;
    double weight = 1;           // of one flow
    double bound = 0;            // GB/s of all flows together, alone in the system
    std::uint32_t tightest = 0;  // resource that sets the bound
    std::uint8_t priority = 0;
    bool dirty = false;
    double rate = 0;             // of one flow
    double applied = 0;          // of all flows, as counted in Resource::rate
    std::uint32_t bottleneck = kNone;  // resource that holds the rate back; kNone = its bound
    double served = 0;           // bytes each flow got until `since`
    Femtos since{0};
    std::uint64_t generation = 0;
    std::uint64_t found = 0;     // settle() that found it
    std::vector<Pending> flows;  // heap, first to finish in front
  };
  struct OnResource {
    RouteId bundle = 0;
    std::uint32_t use = 0;       // into uses_
  };
  struct Resource {
    double capacity = 0;
    double rate = 0;
    double bytes = 0;
    Femtos busy{0};
    Femtos since{0};
    bool slack = true;           // its flows together cannot fill it
    bool slack_after = true;     // when this settle() is over
    std::uint64_t found = 0;     // pass of settle() that found it
    std::uint64_t touched = 0;
    std::uint32_t updates = 0;   // of `rate` by differences
    std::uint32_t local = 0;     // index in the solver's table
    std::vector<OnResource> bundles;
  };
  struct Wake {
    Femtos time;
    RouteId bundle = 0;
    std::uint64_t generation = 0;
    friend bool operator>(const Wake& a, const Wake& b) {
      return a.time != b.time ? b.time < a.time : a.bundle > b.bundle;
    }
  };

  void check_time(Femtos now) const;
  void mark(RouteId route, Femtos now);
  void attach(RouteId route);
  void detach(RouteId route);
  void update_slack(Resource& resource);
  void settle_components(Femtos now);
  void collect(RouteId start);
  [[nodiscard]] bool settle_nearby(Femtos now);
  void free_nearby(RouteId route);
  void free_held(std::uint32_t resource);
  void gather_residuals();
  void free_unfair();
  void fill_table();
  void apply_rates(Femtos now);
  void apply(RouteId route, double rate, std::uint32_t bottleneck, Femtos now);
  void touch_resources(const Bundle& bundle);
  void update_loads(Femtos now);
  [[nodiscard]] static bool is_full(const Resource& resource, double load);
  void push_wake(RouteId route);
  void drop_stale_wakes();
  [[nodiscard]] Femtos completion(const Bundle& bundle, double target) const;
  [[nodiscard]] std::span<const Use> uses_of(const Bundle& bundle) const {
    return std::span<const Use>(uses_).subspan(bundle.first_use, bundle.use_count);
  }
  [[nodiscard]] std::size_t find_slot(std::span<const Use> uses, double weight,
                                      std::uint8_t priority) const;
  void grow_table();

  std::vector<Resource> resources_;
  std::vector<Bundle> bundles_;
  std::vector<Use> uses_;                  // of all bundles
  std::vector<std::uint32_t> place_;       // of each use in Resource::bundles
  std::vector<RouteId> table_;             // open addressing by hash; kNone = free
  std::vector<Wake> wakes_;                // heap, earliest in front; stale ones have an old generation
  std::vector<RouteId> dirty_;
  Femtos dirty_since_{0};
  std::vector<FlowId> completed_;
  FlowId next_id_ = 0;
  std::size_t active_flows_ = 0;
  std::size_t active_bundles_ = 0;
  // Working memory of settle().
  std::uint64_t epoch_ = 0;                // numbers passes
  std::uint64_t settle_ = 0;               // pass with which this settle() began
  std::vector<std::uint32_t> class_bundles_;  // active ones of each priority
  std::size_t classes_ = 0;
  std::vector<RouteId> component_;
  std::vector<std::uint32_t> frontier_;    // resources
  std::vector<std::uint32_t> touched_;
  std::vector<RouteId> changed_;
  std::vector<double> capacities_;         // of frontier_
  std::vector<double> fixed_;              // load of flows that keep their rate
  std::vector<double> moved_;              // load of the others
  std::vector<double> highest_;            // level of those
  std::vector<double> held_;               // level at which it holds some of them back; below 0 = none
  std::vector<double> rates_;
  FlowTable flows_;
  MaxMinSolver solver_;
};

}  // namespace trnsim::fabric
