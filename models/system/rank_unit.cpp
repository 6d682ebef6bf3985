// The order of one rank's kernels and collectives.
#include "rank_unit.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::models {

RankUnit::RankUnit(const sc_core::sc_module_name& name, AgendaIf& agenda, UnitId id,
                   CollectiveEngine& collectives)
    : sc_module(name), agenda_(agenda), id_(id), collectives_(collectives) {}

void RankUnit::own(std::vector<NeuronCore*> cores, std::vector<std::uint64_t> hbm_bases) {
  cores_ = std::move(cores);
  hbm_bases_ = std::move(hbm_bases);
}

void RankUnit::follow(RankUnit& leader) {
  leader_ = &leader;
  leader.followers_.push_back(this);
}

void RankUnit::load(std::vector<RankTask> tasks) {
  tasks_ = std::move(tasks);
  const std::size_t count = tasks_.size();
  left_ = count;
  times_.assign(count, {});
  waits_.assign(count, 0);
  next_.assign(count, {});
  for (std::uint32_t t = 0; t < count; ++t) {
    const RankTask& task = tasks_[t];
    waits_[t] = static_cast<std::uint32_t>(task.after.size());
    for (const std::uint32_t before : task.after) {
      next_[before].push_back(t);
    }
    if (!task.is_collective) {
      kernels_.push_back(t);
      continue;
    }
    if (streams_.size() <= task.stream) {
      streams_.resize(task.stream + 1);
      triggered_.resize(task.stream + 1, 0);
    }
    streams_[task.stream].push_back(t);
  }
}

void RankUnit::begin(Femtos now) {
  for (std::uint32_t t = 0; t < tasks_.size(); ++t) {
    if (tasks_[t].after.empty()) {
      ready(now, t);
    }
  }
}

void RankUnit::ready(Femtos now, std::uint32_t task) {
  times_[task].ready = now;
  if (tasks_[task].is_collective) {
    trigger_ready(now, tasks_[task].stream);
  } else {
    try_kernel(now);
  }
}

void RankUnit::trigger_ready(Femtos now, std::uint32_t stream) {
  std::size_t& at = triggered_[stream];
  while (at < streams_[stream].size() && waits_[streams_[stream][at]] == 0) {
    const std::uint32_t task = streams_[stream][at++];
    times_[task].start = now;
    collectives_.trigger(now, tasks_[task].collective, tasks_[task].member, this);
  }
}

void RankUnit::try_kernel(Femtos now) {
  if (leader_ != nullptr || running_ || kernel_ == kernels_.size() ||
      waits_[kernels_[kernel_]] > 0) {
    return;
  }
  running_ = true;
  launch_at_ = now + tasks_[kernels_[kernel_]].overhead;
  times_[kernels_[kernel_]].start = now;
  if (launch_at_ == now) {
    launch(now);
  } else {
    agenda_.at(launch_at_, Phase::kComplete, id_, this);
  }
}

void RankUnit::launch(Femtos now) {
  launch_at_ = kNever;
  const RankTask& task = tasks_[kernels_[kernel_]];
  kernel_end_ = now;
  cores_left_ = 0;
  for (const auto& program : task.programs) {
    cores_left_ += program != nullptr ? 1U : 0U;
  }
  if (cores_left_ == 0) {
    finish_at_ = now + Femtos{1};
    agenda_.at(finish_at_, Phase::kComplete, id_, this);
    return;
  }
  // The two programs of a logical NeuronCore meet each other.
  for (std::size_t c = 0; c + 1 < task.programs.size(); c += 2) {
    if (task.programs[c] != nullptr && task.programs[c]->lnc == 2) {
      cores_[c]->join_pair(0);
      cores_[c + 1]->join_pair(1);
    }
  }
  for (std::size_t c = 0; c < task.programs.size(); ++c) {
    if (task.programs[c] != nullptr) {
      cores_[c]->run(now, *task.programs[c], hbm_bases_[c], this);
    }
  }
}

void RankUnit::on_core_done(Femtos now, Femtos end) {
  kernel_end_ = max(kernel_end_, end);
  if (--cores_left_ == 0) {
    finish_at_ = max(kernel_end_, now + Femtos{1});
    agenda_.at(finish_at_, Phase::kComplete, id_, this);
  }
}

void RankUnit::wake(Femtos now, Phase /*phase*/) {
  if (now == launch_at_) {
    launch(now);
  } else if (now == finish_at_) {
    finish_kernel(now);
  }
}

void RankUnit::finish_kernel(Femtos now) {
  finish_at_ = kNever;
  const std::uint32_t task = kernels_[kernel_];
  const Femtos start = times_[task].start;
  running_ = false;
  ++kernel_;
  kernel_free_ = now;
  for (RankUnit* follower : followers_) {
    follower->kernel_of_leader(now, start);
  }
  done(now, task);
}

void RankUnit::kernel_of_leader(Femtos now, Femtos start) {
  const std::uint32_t task = kernels_[kernel_];
  const Femtos mine = max(times_[task].ready, kernel_free_);
  constexpr Femtos kRounding{1'000'000};  // of flows that are equal but for the last bit
  if (waits_[task] > 0 || max(mine, start) - min(mine, start) > kRounding) {
    throw Error(fmt::format("cores: folded does not hold here: {} would start {} at another time than "
                            "{}, which stands for it",
                            basename(), tasks_[task].name, leader_->basename()),
                {}, "run it with --cores all");
  }
  times_[task].start = start;
  ++kernel_;
  kernel_free_ = now;
  done(now, task);
}

void RankUnit::on_collective_done(Femtos now, std::uint32_t collective, std::uint32_t /*member*/) {
  for (std::uint32_t t = 0; t < tasks_.size(); ++t) {
    if (tasks_[t].is_collective && tasks_[t].collective == collective) {
      done(now, t);
      return;
    }
  }
}

void RankUnit::done(Femtos now, std::uint32_t task) {
  times_[task].end = now;
  --left_;
  for (const std::uint32_t next : next_[task]) {
    if (--waits_[next] == 0) {
      ready(now, next);
    }
  }
  try_kernel(now);
}

std::vector<std::string> RankUnit::unfinished() const {
  std::vector<std::string> lines;
  for (std::uint32_t t = 0; t < tasks_.size(); ++t) {
    if (times_[t].end == kNever && times_[t].ready != kNever) {
      lines.push_back(fmt::format("{} {} {}", basename(),
                                  times_[t].start == kNever ? "has not started" : "is in",
                                  tasks_[t].name));
    }
  }
  for (const NeuronCore* core : cores_) {
    if (running_ && core->loaded() && !core->finished()) {
      for (std::string& line : core->unfinished()) {
        lines.push_back(std::move(line));
      }
    }
  }
  return lines;
}

}  // namespace trnsim::models
