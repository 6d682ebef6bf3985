// Batches of movements and when they are done.
#include "analytic_network.h"

#include <algorithm>
#include <functional>

#include "trnsim/base/error.h"

namespace trnsim::models {

AnalyticNetwork::AnalyticNetwork(const sc_core::sc_module_name& name,
                                 const fabric::NetworkPlan& plan, AgendaIf& agenda, UnitId id)
    : sc_module(name),
      plan_(plan),
      agenda_(agenda),
      id_(id),
      batch_ns_(plan.resources().size(), 0),
      accounts_(plan.resources().size()) {}

void AnalyticNetwork::send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
                           NetworkClient* client) {
  TRNSIM_CHECK(movement.bytes > 0, "{}: movement of no bytes", name());
  auto found = uses_.find(movement);
  if (found == uses_.end()) {
    found = uses_.emplace(movement, plan_.uses(movement)).first;
  }
  if (batch_.empty()) {
    agenda_.at(now, Phase::kArbitrate, id_, this);
  }
  batch_.push_back({&found->second, movement.bytes, token, client, 0});
}

void AnalyticNetwork::close_batch(Femtos now) {
  const auto ns = [&](const Transfer& transfer, const fabric::Use& use) {
    return use.multiplicity * static_cast<double>(transfer.bytes) /
           plan_.resources()[use.resource].GBps;
  };
  for (const Transfer& transfer : batch_) {
    for (const fabric::Use& use : *transfer.uses) {
      batch_ns_[use.resource] += ns(transfer, use);
    }
  }
  for (Transfer& transfer : batch_) {
    double longest = 0;
    for (const fabric::Use& use : *transfer.uses) {
      longest = std::max(longest, batch_ns_[use.resource]);
    }
    // At least a femtosecond: the phase of completions of this instant has passed.
    const Femtos span = max(from_ns(longest), Femtos{1});
    transfer.GBps = static_cast<double>(transfer.bytes) / span.ns();
    change(now, transfer, true);
    due_.push_back({now + span, next_serial_++, transfer});
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }
  for (const Transfer& transfer : batch_) {
    for (const fabric::Use& use : *transfer.uses) {
      batch_ns_[use.resource] = 0;
    }
  }
  batch_.clear();
  arm();
}

void AnalyticNetwork::complete(Femtos now) {
  finished_.clear();
  while (!due_.empty() && due_.front().time <= now) {
    std::pop_heap(due_.begin(), due_.end(), std::greater<>());
    finished_.push_back(due_.back().transfer);
    due_.pop_back();
    change(now, finished_.back(), false);
  }
  // Clients may send; finished_ is not touched by send().
  for (const Transfer& transfer : finished_) {
    transfer.client->on_moved(now, transfer.token);
  }
  arm();
}

void AnalyticNetwork::arm() {
  if (!due_.empty() && due_.front().time < armed_) {
    armed_ = due_.front().time;
    agenda_.at(armed_, Phase::kComplete, id_, this);
  }
}

void AnalyticNetwork::wake(Femtos now, Phase phase) {
  if (phase == Phase::kArbitrate) {
    close_batch(now);
  } else if (now == armed_) {  // else overtaken by a shorter movement
    armed_ = kNever;
    complete(now);
  }
}

void AnalyticNetwork::advance(Account& account, Femtos now) {
  if (account.transfers > 0) {
    const Femtos elapsed = now - account.since;
    account.load.bytes += account.load.GBps * elapsed.ns();
    account.load.busy += elapsed;
  }
  account.since = now;
}

void AnalyticNetwork::change(Femtos now, const Transfer& transfer, bool begins) {
  for (const fabric::Use& use : *transfer.uses) {
    Account& account = accounts_[use.resource];
    advance(account, now);
    const double rate = use.multiplicity * transfer.GBps;
    if (begins) {
      ++account.transfers;
      account.load.GBps += rate;
    } else {
      --account.transfers;
      // Exactly zero without transfers, whatever the differences rounded to.
      account.load.GBps = account.transfers == 0 ? 0 : account.load.GBps - rate;
    }
  }
}

std::vector<fabric::ResourceLoad> AnalyticNetwork::loads(Femtos now) const {
  std::vector<fabric::ResourceLoad> loads;
  loads.reserve(accounts_.size());
  for (Account account : accounts_) {
    advance(account, now);
    loads.push_back(account.load);
  }
  return loads;
}

}  // namespace trnsim::models
