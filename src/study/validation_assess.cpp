// Statistics by class and family, and which tolerances are kept.
#include <algorithm>
#include <cmath>

#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

constexpr double kHbmTolerance = 0.2;

template <typename Row>
Row& named(std::vector<Row>& rows, const std::string& name) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  if (found != rows.end()) {
    return *found;
  }
  rows.emplace_back().name = name;
  return rows.back();
}

struct Times {
  std::vector<double> measured;
  std::vector<double> simulated;
  std::vector<double> ratios;

  void add(const CaseResult& result) {
    measured.push_back(result.one->measured.time_us);
    simulated.push_back(result.simulated_us);
    ratios.push_back(result.ratio());
  }
};

void count_result(ClassSummary& summary, const CaseResult& result,
                  std::vector<double>& active_ratios) {
  summary.skipped += result.outcome == Outcome::kSkipped ? 1U : 0U;
  summary.failed += result.outcome == Outcome::kFailed ? 1U : 0U;
  if (result.outcome == Outcome::kDone && !result.counted()) {
    ++summary.bounds;
    summary.bounds_broken += result.ratio() > 1 ? 1U : 0U;
  }
  if (!result.counted()) {
    return;
  }
  const Measured& measured = result.one->measured;
  if (measured.active_us > 0) {
    active_ratios.push_back(result.active_us / measured.active_us);
  }
  if (measured.hbm_bytes > 0) {
    ++summary.hbm_cases;
    const double error = std::abs(result.hbm_bytes / measured.hbm_bytes - 1);
    summary.hbm_within_20 += error <= kHbmTolerance ? 1U : 0U;
  }
}

void summarize(ClassSummary& summary, const std::vector<CaseResult>& results) {
  Times all;
  std::vector<double> judged;
  std::vector<double> short_ratios;
  std::vector<double> active_ratios;
  std::vector<std::pair<std::string, Times>> families;
  for (const CaseResult& result : results) {
    if (result.one->class_name != summary.name) {
      continue;
    }
    count_result(summary, result, active_ratios);
    if (!result.counted()) {
      continue;
    }
    all.add(result);
    const bool is_short = result.one->measured.time_us < summary.tolerance.short_below_us;
    (is_short ? short_ratios : judged).push_back(result.ratio());
    const auto found =
        std::find_if(families.begin(), families.end(),
                     [&](const auto& family) { return family.first == result.one->family; });
    if (found == families.end()) {
      families.emplace_back(result.one->family, Times{});
      families.back().second.add(result);
    } else {
      found->second.add(result);
    }
  }
  summary.errors = error_statistics(all.ratios);
  summary.judged = error_statistics(judged);
  summary.short_errors = error_statistics(short_ratios);
  summary.active_errors = error_statistics(active_ratios);
  for (const auto& [name, times] : families) {
    summary.families.push_back(
        {name, error_statistics(times.ratios), spearman(times.measured, times.simulated), {}});
    for (const auto& [family, baseline] : summary.tolerance.family_baselines) {
      if (family == name) {
        summary.families.back().baseline_mape = baseline;
      }
    }
  }
}

void judge_case(ClassSummary& summary, const CaseResult& result) {
  const ClassTolerance& tolerance = summary.tolerance;
  const std::string& id = result.one->id;
  const auto at_most = [&](const std::string& what, double value,
                           const std::optional<double>& limit) {
    if (limit && value > *limit) {
      summary.outside.push_back(
          fmt::format("{}: {} off by {:.1f} %, above {:.4g} %", id, what, 100 * value, 100 * *limit));
    }
  };
  at_most("total", std::abs(result.ratio() - 1), tolerance.case_max);
  if (!result.profile) {
    return;
  }
  for (const EngineBusy& engine : result.profile->engines) {
    at_most("busy time of " + engine.engine, engine.error(), tolerance.engine_busy_max);
  }
  for (const OpcodeError& opcode : result.profile->opcodes) {
    at_most(fmt::format("median {} {}", opcode.engine, opcode.opcode), opcode.median_error,
            tolerance.opcode_median_max);
  }
}

void judge(ClassSummary& summary, const std::vector<CaseResult>& results) {
  if (summary.failed > 0) {
    summary.outside.push_back(fmt::format("{} failed to run", summary.failed));
  }
  if (summary.errors.cases == 0) {
    return;
  }
  const ClassTolerance& tolerance = summary.tolerance;
  const auto at_most = [&](const char* what, double value, const std::optional<double>& limit) {
    if (limit && value > *limit) {
      summary.outside.push_back(
          fmt::format("{} {:.1f} % above {:.4g} %", what, 100 * value, 100 * *limit));
    }
  };
  at_most("MAPE", summary.judged.mape, tolerance.mape_max);
  at_most("p90", summary.judged.p90, tolerance.p90_max);
  at_most(fmt::format("MAPE below {:g} us", tolerance.short_below_us).c_str(),
          summary.short_errors.mape, tolerance.short_mape_max);
  for (const FamilySummary& family : summary.families) {
    at_most(("|bias| of " + family.name).c_str(), std::abs(family.errors.bias),
            tolerance.family_bias_max);
  }
  for (const CaseResult& result : results) {
    if (result.one->class_name == summary.name && result.counted()) {
      judge_case(summary, result);
    }
  }
  if (tolerance.hbm_within_20_min && summary.hbm_cases > 0) {
    const double share =
        static_cast<double>(summary.hbm_within_20) / static_cast<double>(summary.hbm_cases);
    if (share < *tolerance.hbm_within_20_min) {
      summary.outside.push_back(fmt::format("HBM bytes within 20 % in {:.1f} %, below {:.4g} %",
                                            100 * share, 100 * *tolerance.hbm_within_20_min));
    }
  }
}

}  // namespace

std::optional<bool> beats(const ErrorStatistics& errors,
                          const std::optional<double>& baseline_mape) {
  if (!baseline_mape || errors.cases == 0) {
    return std::nullopt;
  }
  return errors.mape < *baseline_mape;
}

std::string baseline_text(const ErrorStatistics& errors,
                          const std::optional<double>& baseline_mape) {
  const std::optional<bool> better = beats(errors, baseline_mape);
  return !better ? ""
                 : fmt::format("{} {:.1f} %", *better ? "beats" : "does not beat",
                               100 * *baseline_mape);
}

bool Validation::within() const {
  return std::all_of(classes.begin(), classes.end(),
                     [](const ClassSummary& summary) { return summary.outside.empty(); });
}

std::size_t Validation::count(Outcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(),
                    [&](const CaseResult& result) { return result.outcome == outcome; }));
}

std::vector<const CaseResult*> Validation::worst(std::size_t most) const {
  std::vector<const CaseResult*> rows;
  for (const CaseResult& result : results) {
    if (result.counted()) {
      rows.push_back(&result);
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const CaseResult* a, const CaseResult* b) {
    return std::abs(a->ratio() - 1) > std::abs(b->ratio() - 1);
  });
  rows.resize(std::min(rows.size(), most));
  return rows;
}

void assess(Validation& validation, const std::vector<ClassTolerance>& tolerances) {
  validation.classes.clear();
  for (const CaseResult& result : validation.results) {
    named(validation.classes, result.one->class_name);
  }
  std::vector<ClassTolerance> all;
  for (const ValidationFile& file : validation.files) {
    all.insert(all.end(), file.tolerances.begin(), file.tolerances.end());
  }
  all.insert(all.end(), tolerances.begin(), tolerances.end());
  for (ClassSummary& summary : validation.classes) {
    for (const ClassTolerance& tolerance : all) {
      if (tolerance.class_name == summary.name) {
        summary.tolerance = tolerance;
      }
    }
    summarize(summary, validation.results);
    judge(summary, validation.results);
  }
}

}  // namespace trnsim::study
