// Streams, triggers, and the walk through a collective's DAG.
#include "collective_engine.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

template <class Visit>
void for_members(const collectives::Transfer& transfer, const Visit& visit) {
  visit(transfer.from);
  if (transfer.to != transfer.from) {
    visit(transfer.to);
  }
  for (const std::uint32_t more : {transfer.also_from, transfer.also_to}) {
    if (more != collectives::kNoRank && more != transfer.from && more != transfer.to) {
      visit(more);
    }
  }
}

}  // namespace

CollectiveEngine::CollectiveEngine(const sc_core::sc_module_name& name,
                                   const fabric::NetworkPlan& plan, const CollectiveTimes& times,
                                   AgendaIf& agenda, UnitId id)
    : sc_module(name), plan_(plan), times_(times), agenda_(agenda), id_(id) {}

std::uint32_t CollectiveEngine::add(CollectiveRequest request) {
  TRNSIM_CHECK(request.ranks.size() == request.dag->ranks, "a group of {} for a DAG of {}",
               request.ranks.size(), request.dag->ranks);
  Run run;
  run.clients.assign(request.ranks.size(), nullptr);
  run.request = std::move(request);
  runs_.push_back(std::move(run));
  return static_cast<std::uint32_t>(runs_.size() - 1);
}

CollectiveEngine::Stream& CollectiveEngine::stream_of(const Run& run, std::uint32_t member) {
  return streams_[{run.request.ranks[member], run.request.stream}];
}

void CollectiveEngine::trigger(Femtos now, std::uint32_t collective, std::uint32_t member,
                               CollectiveClient* client) {
  Run& run = runs_[collective];
  TRNSIM_CHECK(run.clients[member] == nullptr, "collective {} triggered twice by its member {}",
               collective, member);
  run.clients[member] = client;
  ++run.triggered;
  run.record.first_trigger = min(run.record.first_trigger, now);
  run.record.last_trigger = max(run.record.last_trigger, now);
  Stream& stream = stream_of(run, member);
  stream.push_back(collective);
  if (stream.size() == 1) {
    front_of_stream(now, collective);
  }
}

void CollectiveEngine::front_of_stream(Femtos now, std::uint32_t collective) {
  Run& run = runs_[collective];
  if (++run.at_front < run.request.dag->ranks) {
    return;
  }
  run.started = true;
  run.record.start = now;
  at(now + times_.setup, collective, kBegin);
}

void CollectiveEngine::at(Femtos when, std::uint32_t run, std::uint32_t transfer) {
  auto& list = due_[when.count];
  if (list.empty()) {
    agenda_.at(when, Phase::kComplete, id_, this);
  }
  list.emplace_back(run, transfer);
}

void CollectiveEngine::wake(Femtos now, Phase /*phase*/) {
  const auto due = due_.find(now.count);
  if (due == due_.end()) {
    return;
  }
  const auto list = std::move(due->second);
  due_.erase(due);
  for (const auto& [run, transfer] : list) {
    if (transfer == kBegin) {
      begin(now, run);
    } else {
      send(now, run, transfer);
    }
  }
}

void CollectiveEngine::prepare(Run& run) {
  const collectives::Dag& dag = *run.request.dag;
  const std::size_t count = dag.transfers.size();
  run.transfers_left = static_cast<std::uint32_t>(count);
  run.waits.assign(count, 0);
  run.first_next.assign(count + 1, 0);
  run.member_left.assign(dag.ranks, 0);
  for (std::size_t t = 0; t < count; ++t) {
    const collectives::Transfer& transfer = dag.transfers[t];
    run.waits[t] = transfer.dependency_count;
    for_members(transfer, [&](std::uint32_t member) { ++run.member_left[member]; });
    for (std::uint32_t d = 0; d < transfer.dependency_count; ++d) {
      ++run.first_next[dag.dependencies[transfer.first_dependency + d] + 1];
    }
  }
  for (std::size_t t = 0; t < count; ++t) {
    run.first_next[t + 1] += run.first_next[t];
  }
  run.next.resize(run.first_next[count]);
  std::vector<std::uint32_t> at = run.first_next;
  for (std::uint32_t t = 0; t < count; ++t) {
    const collectives::Transfer& transfer = dag.transfers[t];
    for (std::uint32_t d = 0; d < transfer.dependency_count; ++d) {
      run.next[at[dag.dependencies[transfer.first_dependency + d]]++] = t;
    }
  }
}

void CollectiveEngine::begin(Femtos now, std::uint32_t collective) {
  prepare(runs_[collective]);
  const auto count = static_cast<std::uint32_t>(runs_[collective].waits.size());
  const std::vector<std::uint32_t> waits = runs_[collective].waits;
  for (std::uint32_t t = 0; t < count; ++t) {
    if (waits[t] == 0) {
      ready(now, collective, t);
    }
  }
  for (std::uint32_t member = 0; member < runs_[collective].request.dag->ranks; ++member) {
    if (count == 0 || runs_[collective].member_left[member] == 0) {
      runs_[collective].member_left[member] = 0;
      if (runs_[collective].clients[member] != nullptr) {
        member_done(now, collective, member);
      }
    }
  }
}

Femtos CollectiveEngine::hop(const Run& run, const collectives::Transfer& transfer) const {
  const auto chip = [&](std::uint32_t member) {
    return plan_.ranks().ranks[run.request.ranks[member]].chip;
  };
  const fabric::NodeId from = chip(transfer.from);
  const fabric::NodeId to = chip(transfer.to);
  if (from == to) {
    return times_.hop_on_chip;
  }
  return plan_.topology().domain(from) == plan_.topology().domain(to) ? times_.hop_intra
                                                                      : times_.hop_inter;
}

void CollectiveEngine::ready(Femtos now, std::uint32_t collective, std::uint32_t index) {
  const Run& run = runs_[collective];
  const collectives::Transfer& transfer = run.request.dag->transfers[index];
  if (transfer.bytes == 0) {
    complete(now, collective, index);
    return;
  }
  const Femtos due = now + hop(run, transfer);
  if (due == now) {
    send(now, collective, index);
  } else {
    at(due, collective, index);
  }
}

void CollectiveEngine::send(Femtos now, std::uint32_t collective, std::uint32_t index) {
  const Run& run = runs_[collective];
  const collectives::Transfer& transfer = run.request.dag->transfers[index];
  const auto rank = [&](std::uint32_t member) {
    return member == collectives::kNoRank ? fabric::kNone : run.request.ranks[member];
  };
  fabric::Movement movement;
  movement.from = rank(transfer.from);
  movement.to = rank(transfer.to);
  movement.also_from = rank(transfer.also_from);
  movement.also_to = rank(transfer.also_to);
  movement.bytes = transfer.bytes;
  movement.reduce = transfer.reduce;
  movement.space = run.request.space;
  movement.priority = run.request.priority;
  ++transfers_;
  network->send(now, movement, (std::uint64_t{collective} << 32U) | index, this);
}

void CollectiveEngine::on_moved(Femtos now, std::uint64_t token) {
  complete(now, static_cast<std::uint32_t>(token >> 32U), static_cast<std::uint32_t>(token));
}

void CollectiveEngine::complete(Femtos now, std::uint32_t collective, std::uint32_t index) {
  {
    Run& run = runs_[collective];
    --run.transfers_left;
    const collectives::Transfer& transfer = run.request.dag->transfers[index];
    for_members(transfer, [&](std::uint32_t member) { --run.member_left[member]; });
  }
  const std::uint32_t first = runs_[collective].first_next[index];
  const std::uint32_t last = runs_[collective].first_next[index + 1];
  for (std::uint32_t i = first; i < last; ++i) {
    const std::uint32_t next = runs_[collective].next[i];
    if (--runs_[collective].waits[next] == 0) {
      ready(now, collective, next);
    }
  }
  const std::shared_ptr<const collectives::Dag> dag = runs_[collective].request.dag;
  for_members(dag->transfers[index], [&](std::uint32_t member) {
    if (runs_[collective].member_left[member] == 0 &&
        runs_[collective].clients[member] != nullptr) {
      member_done(now, collective, member);
    }
  });
}

void CollectiveEngine::member_done(Femtos now, std::uint32_t collective, std::uint32_t member) {
  Run& run = runs_[collective];
  CollectiveClient* client = std::exchange(run.clients[member], nullptr);
  run.record.end = max(run.record.end, now);
  Stream& stream = stream_of(run, member);
  TRNSIM_CHECK(!stream.empty() && stream.front() == collective, "collective {} ends out of order",
               collective);
  stream.pop_front();
  if (!stream.empty()) {
    front_of_stream(now, stream.front());
  }
  if (run.transfers_left == 0) {
    run.waits = {};
    run.first_next = {};
    run.next = {};
  }
  client->on_collective_done(now, collective, member);
}

std::vector<std::string> CollectiveEngine::unfinished() const {
  std::vector<std::string> lines;
  for (const Run& run : runs_) {
    const collectives::Dag& dag = *run.request.dag;
    if (!run.started) {
      lines.push_back(fmt::format("{} of {} ranks: {} have not triggered it, {} have it at the front",
                                  collectives::name(dag.op), dag.ranks,
                                  dag.ranks - run.triggered, run.at_front));
    } else if (run.transfers_left > 0) {
      lines.push_back(fmt::format("{} of {} ranks: {} of {} transfers are left",
                                  collectives::name(dag.op), dag.ranks, run.transfers_left,
                                  dag.transfers.size()));
    }
  }
  return lines;
}

}  // namespace trnsim::models
