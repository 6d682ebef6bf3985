// Trace-event JSON, written slice by slice so that a long timeline needs no second copy in memory.
#include <map>
#include <ostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/base/error.h"
#include "trnsim/report/run_report.h"

namespace trnsim::report {
namespace {

// Slices of one track may overlap in a pipeline, which viewers do not draw: they are laid on as many
// lanes as overlap.
class Lanes {
 public:
  std::size_t place(Femtos start, Femtos end) {
    for (std::size_t lane = 0; lane < ends_.size(); ++lane) {
      if (ends_[lane] <= start) {
        ends_[lane] = end;
        return lane;
      }
    }
    ends_.push_back(end);
    return ends_.size() - 1;
  }

 private:
  std::vector<Femtos> ends_;
};

struct Track {
  int order = 0;
  Lanes lanes;
  std::map<std::size_t, int> thread_of_lane;
};

int track_order(const std::string& name) {
  constexpr std::array<const char*, 7> kFirst{"Tensor", "Tensor LDWEIGHTS", "Vector", "Scalar",
                                              "GpSimd", "Sync", "q"};
  for (std::size_t i = 0; i < kFirst.size(); ++i) {
    if (name == kFirst[i]) {
      return static_cast<int>(i);
    }
  }
  return static_cast<int>(kFirst.size());
}

std::string core_name(const spec::SystemSpec& system, std::uint32_t core) {
  const std::uint32_t chip = core / system.cores_per_chip_used;
  return fmt::format("server{}.chip{}.core{}", chip / system.chips_per_server,
                     chip % system.chips_per_server, core % system.cores_per_chip_used);
}

class Writer {
 public:
  explicit Writer(std::ostream& out) : out_(out) {}

  void event(const std::string& json) {
    out_ << (first_ ? "\n" : ",\n") << json;
    first_ = false;
  }
  void metadata(const char* kind, std::uint32_t process, int thread, const std::string& name) {
    event(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", kind,
                      process, thread, nlohmann::json(name).dump()));
  }

 private:
  std::ostream& out_;
  bool first_ = true;
};

std::string slice_json(const sim::TimelineSlice& slice, int thread, double offset_us) {
  std::string args = fmt::format(R"("ready_us":{:.6f})", offset_us + slice.ready.us());
  if (!slice.waited_for.empty()) {
    args += fmt::format(R"(,"waited_for":{})", nlohmann::json(slice.waited_for).dump());
  }
  if (slice.bytes > 0) {
    args += fmt::format(R"(,"bytes":{})", slice.bytes);
  }
  if (slice.trace_instruction != UINT32_MAX) {
    args += fmt::format(R"(,"trace_instruction":{})", slice.trace_instruction);
  }
  return fmt::format(R"({{"ph":"X","name":"{}","pid":{},"tid":{},"ts":{:.6f},"dur":{:.6f},"args":{{{}}}}})",
                     slice.name, slice.core, thread, offset_us + slice.start.us(),
                     (slice.end - slice.start).us(), args);
}

}  // namespace

void perfetto(const spec::LoadedSystem& system, const std::vector<RunEntry>& entries,
              std::ostream& out) {
  out << R"({"displayTimeUnit":"ns","otherData":{"trnsim_version":")" << TRNSIM_VERSION
      << R"(","config_hash":")" << system.hash << R"("},"traceEvents":[)";
  Writer writer(out);
  std::map<std::uint32_t, std::map<std::string, Track>> processes;
  std::map<std::uint32_t, int> next_thread;
  double offset_us = 0;
  for (const RunEntry& entry : entries) {
    for (const sim::TimelineSlice& slice : entry.record.timeline) {
      if (!processes.contains(slice.core)) {
        writer.metadata("process_name", slice.core, 0, core_name(system.spec, slice.core));
      }
      Track& track = processes[slice.core][slice.track];
      const std::size_t lane = track.lanes.place(Femtos{slice.start.count}, slice.end);
      auto [thread, added] = track.thread_of_lane.try_emplace(lane, 0);
      if (added) {
        thread->second = ++next_thread[slice.core];
        const std::string label =
            lane == 0 ? slice.track : fmt::format("{} ({})", slice.track, lane + 1);
        writer.metadata("thread_name", slice.core, thread->second, label);
        writer.event(fmt::format(
            R"({{"ph":"M","name":"thread_sort_index","pid":{},"tid":{},"args":{{"sort_index":{}}}}})",
            slice.core, thread->second, track_order(slice.track) * 100 + static_cast<int>(lane)));
      }
      writer.event(slice_json(slice, thread->second, offset_us));
    }
    offset_us += entry.metrics.time_us;
    for (auto& [core, tracks] : processes) {
      for (auto& [name, track] : tracks) {
        track.lanes = {};
      }
    }
  }
  out << "\n]}\n";
}

}  // namespace trnsim::report
