// Matches timeline slices to profiler rows by trace instruction and by order within it.
#include "trnsim/analysis/profile_compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "trnsim/base/error.h"

namespace trnsim::analysis {
namespace {

using trace::Engine;
using trace::ImportedProfile;
using trace::ProfileRow;

bool only_waits(const ProfileRow& row) {
  return row.opcode == "EVENT_SEMAPHORE" || row.opcode == "NOP";
}

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Slices of one trace instruction, in order of start.
struct Slices {
  std::vector<const sim::TimelineSlice*> engine;
  std::vector<const sim::TimelineSlice*> loads;   // LDWEIGHTS
  const sim::TimelineSlice* transfer = nullptr;
};

std::vector<Slices> slices_of(const ImportedProfile& imported, const sim::RunRecord& record) {
  std::vector<Slices> slices(imported.trace.instructions.size());
  for (const sim::TimelineSlice& slice : record.timeline) {
    if (slice.trace_instruction >= slices.size()) {
      continue;
    }
    Slices& of = slices[slice.trace_instruction];
    if (slice.track == "Tensor LDWEIGHTS") {
      of.loads.push_back(&slice);
    } else if (trace::parse_engine(slice.track)) {
      of.engine.push_back(&slice);
    } else {
      of.transfer = &slice;
    }
  }
  return slices;
}

class Comparer {
 public:
  Comparer(const ImportedProfile& imported, const sim::RunRecord& record)
      : imported_(imported),
        slices_(slices_of(imported, record)),
        measured_zero_(static_cast<double>(imported.profile.first_ns())) {
    simulated_zero_ = record.time.ns();
    for (const sim::TimelineSlice& slice : record.timeline) {
      simulated_zero_ = std::min(simulated_zero_, slice.start.ns());
    }
  }

  ProfileComparison run(const sim::RunRecord& record, double drift_fraction) {
    const trace::Profile& profile = imported_.profile;
    result_.measured_ns = static_cast<double>(profile.last_ns() - profile.first_ns());
    result_.measured_total_ns = static_cast<double>(profile.total_ns);
    result_.simulated_ns = record.time.ns() - simulated_zero_;
    result_.drift_limit_ns = drift_fraction * result_.measured_ns;
    pair_rows();
    pair_dmas();
    summarize_opcodes();
    summarize_engines();
    return std::move(result_);
  }

 private:
  [[nodiscard]] Pairing pair(double start, double end, const sim::TimelineSlice& slice) const {
    return {start - measured_zero_, end - start, slice.start.ns() - simulated_zero_,
            (slice.end - slice.start).ns()};
  }

  void pair_rows() {
    for (std::uint32_t i = 0; i < imported_.rows_of.size(); ++i) {
      const Slices& slices = slices_[i];
      std::size_t load = 0;
      std::size_t step = 0;
      for (const std::uint32_t r : imported_.rows_of[i]) {
        const ProfileRow& row = imported_.profile.rows[r];
        const bool is_load = row.opcode == "LDWEIGHTS";
        const auto& list = is_load ? slices.loads : slices.engine;
        std::size_t& next = is_load ? load : step;
        if (next < list.size()) {
          const auto start = static_cast<double>(row.start_ns);
          result_.rows.push_back(
              {r, i, pair(start, start + static_cast<double>(row.duration_ns), *list[next])});
          ++next;
        }
      }
    }
    std::sort(result_.rows.begin(), result_.rows.end(),
              [](const RowPairing& a, const RowPairing& b) { return a.row < b.row; });
  }

  void pair_dmas() {
    std::map<std::uint32_t, std::uint32_t> instruction_of;
    for (std::uint32_t i = 0; i < imported_.rows_of.size(); ++i) {
      instruction_of[imported_.rows_of[i].front()] = i;
    }
    for (const trace::ProfileDma& dma : imported_.profile.dmas) {
      const sim::TimelineSlice* transfer = slices_[instruction_of.at(dma.row)].transfer;
      if (transfer != nullptr) {
        result_.dmas.push_back({dma.row, transfer->bytes,
                                pair(static_cast<double>(dma.first_ns),
                                     static_cast<double>(dma.last_ns), *transfer)});
      }
    }
  }

  void summarize_opcodes() {
    std::map<std::pair<Engine, std::string>, std::vector<const RowPairing*>> groups;
    for (const RowPairing& pairing : result_.rows) {
      const ProfileRow& row = imported_.profile.rows[pairing.row];
      if (!only_waits(row)) {
        groups[{row.engine, row.opcode}].push_back(&pairing);
      }
    }
    for (const auto& [key, pairings] : groups) {
      std::vector<double> measured;
      std::vector<double> simulated;
      std::vector<double> errors;
      for (const RowPairing* pairing : pairings) {
        measured.push_back(pairing->at.measured_duration_ns);
        simulated.push_back(pairing->at.simulated_duration_ns);
        errors.push_back(std::abs(simulated.back() / std::max(1.0, measured.back()) - 1));
      }
      result_.opcodes.push_back({key.first, key.second,
                                 static_cast<std::uint32_t>(pairings.size()), median(measured),
                                 median(simulated), median(errors)});
    }
  }

  // Length of the union of [start, start + duration) of an engine's rows.
  template <typename Start, typename Duration>
  [[nodiscard]] double busy(Engine engine, Start start, Duration duration) const {
    std::vector<std::pair<double, double>> spans;
    for (const RowPairing& pairing : result_.rows) {
      const ProfileRow& row = imported_.profile.rows[pairing.row];
      if (row.engine == engine && !only_waits(row)) {
        spans.emplace_back(start(pairing.at), start(pairing.at) + duration(pairing.at));
      }
    }
    std::sort(spans.begin(), spans.end());
    double covered = 0;
    double until = -1e30;
    for (const auto& [from, to] : spans) {
      covered += std::max(0.0, to - std::max(from, until));
      until = std::max(until, to);
    }
    return covered;
  }

  void summarize_engines() {
    for (int e = 0; e < trace::kEngineCount; ++e) {
      EngineComparison engine;
      engine.engine = static_cast<Engine>(e);
      for (const RowPairing& pairing : result_.rows) {
        const ProfileRow& row = imported_.profile.rows[pairing.row];
        if (row.engine != engine.engine || only_waits(row)) {
          continue;
        }
        ++engine.rows;
        engine.last_start_error_ns = pairing.at.start_error_ns();
        if (!engine.drift && std::abs(pairing.at.start_error_ns()) > result_.drift_limit_ns) {
          engine.drift = pairing;
        }
      }
      if (engine.rows == 0) {
        continue;
      }
      engine.measured_busy_ns =
          busy(engine.engine, [](const Pairing& p) { return p.measured_start_ns; },
               [](const Pairing& p) { return p.measured_duration_ns; });
      engine.simulated_busy_ns =
          busy(engine.engine, [](const Pairing& p) { return p.simulated_start_ns; },
               [](const Pairing& p) { return p.simulated_duration_ns; });
      result_.engines.push_back(engine);
    }
  }

  const ImportedProfile& imported_;
  std::vector<Slices> slices_;
  double measured_zero_ = 0;
  double simulated_zero_ = 0;
  ProfileComparison result_;
};

}  // namespace

std::optional<std::string> limiter_grid_override(const trace::Profile& profile,
                                                 const spec::CoreSpec& core) {
  const auto window = static_cast<double>(core.tensor.activity_limiter.window_cycles);
  if (profile.limiter.empty() || window <= 0) {
    return std::nullopt;
  }
  const double border_cycles =
      static_cast<double>(profile.limiter.front().start_ns - profile.first_ns()) *
      core.sequencer.base_clock_ghz;
  return fmt::format("chip.core.tensor.activity_limiter.grid_offset_cycles={:.0f}",
                     border_cycles - std::floor(border_cycles / window) * window);
}

ProfileComparison compare(const ImportedProfile& imported, const sim::RunRecord& record,
                          double drift_fraction) {
  return Comparer(imported, record).run(record, drift_fraction);
}

}  // namespace trnsim::analysis
