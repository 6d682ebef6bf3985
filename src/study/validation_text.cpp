// The terminal report, at most 80 columns.
#include <map>

#include "markup.h"
#include "trnsim/base/error.h"
#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

std::string cases_table(const Validation& validation, const std::string& class_name) {
  std::string out = fmt::format("{}\n  {:<14} {:<22} {:>12} {:>13} {:>7}\n", class_name, "case",
                                "family", "measured us", "simulated us", "ratio");
  bool any = false;
  for (const CaseResult& result : validation.results) {
    if (result.one->class_name != class_name || result.outcome != Outcome::kDone) {
      continue;
    }
    any = true;
    out += fmt::format("  {:<14} {:<22} {:>12.2f} {:>13.2f} {:>7.3f}{}\n", cut(result.one->id, 14),
                       cut(result.one->family, 22), result.one->measured.time_us,
                       result.simulated_us, result.ratio(),
                       result.counted() ? "" : " bound");
  }
  return any ? out + "\n" : "";
}

std::string row(const std::string& name, const ErrorStatistics& errors, const std::string& rank) {
  return fmt::format("{:<30} {:>5} {:>6.1f} % {:>6.1f} % {:>6.1f} % {:>+6.1f} %{:>6}\n",
                     cut(name, 30), errors.cases, 100 * errors.mape, 100 * errors.median,
                     100 * errors.p90, 100 * errors.bias, rank);
}

std::string rank_text(const std::optional<double>& rank) {
  return rank ? fmt::format("{:.2f}", *rank) : "-";
}

// What replayed profiles say besides their totals.
std::string profile_table(const Validation& validation, const std::string& class_name) {
  std::string out;
  for (const CaseResult* result : profile_results(validation, class_name)) {
    const ProfileFit& fit = *result->profile;
    out += fmt::format("  {:<14} kernel span {:.2f} us, simulated {:.2f} us\n",
                       cut(result->one->id, 14), fit.measured_span_us, fit.simulated_span_us);
    if (fit.worst_engine() != nullptr) {
      out += fmt::format("  {:<14} busy time of every engine within {}\n", "",
                         worst_engine_text(fit));
    }
    if (fit.worst_opcode() != nullptr) {
      out += fmt::format("  {:<14} median duration of every opcode within {}\n", "",
                         worst_opcode_text(fit));
    }
  }
  return out.empty() ? "" : out + "\n";
}

std::string baseline_line(const ErrorStatistics& errors, const std::optional<double>& baseline) {
  const std::string text = baseline_text(errors, baseline);
  return text.empty() ? "" : fmt::format("  {} of a regression without simulation\n", text);
}

std::string class_notes(const ClassSummary& summary) {
  std::string out;
  if (summary.short_errors.cases > 0) {
    const auto line = [&](const char* side, const ErrorStatistics& errors) {
      return fmt::format("  {} {:g} us: {} cases, MAPE {:.1f} %, p90 {:.1f} %\n", side,
                         summary.tolerance.short_below_us, errors.cases, 100 * errors.mape,
                         100 * errors.p90);
    };
    out += line("from", summary.judged) + line("below", summary.short_errors);
  }
  if (summary.active_errors.cases > 0) {
    out += fmt::format("  active time: MAPE {:.1f} %, bias {:+.1f} %\n",
                       100 * summary.active_errors.mape, 100 * summary.active_errors.bias);
  }
  if (summary.hbm_cases > 0) {
    out += fmt::format("  HBM bytes: {} of {} cases within 20 %\n", summary.hbm_within_20,
                       summary.hbm_cases);
  }
  if (summary.bounds > 0) {
    out += fmt::format("  upper bounds, not counted: {} of {} kept\n",
                       summary.bounds - summary.bounds_broken, summary.bounds);
  }
  out += baseline_line(summary.errors, summary.tolerance.baseline_mape);
  for (const std::string& text : summary.outside) {
    out += wrapped("  OUTSIDE: ", text);
  }
  return out;
}

std::string classes_table(const Validation& validation) {
  std::string out = fmt::format("{:<30} {:>5} {:>8} {:>8} {:>8} {:>8} {:>5}\n", "class / family",
                                "cases", "MAPE", "median", "p90", "bias", "rank");
  for (const ClassSummary& summary : validation.classes) {
    if (summary.errors.cases == 0 && summary.bounds == 0 && summary.failed == 0) {
      continue;
    }
    out += row(summary.name, summary.errors, "");
    for (const FamilySummary& family : summary.families) {
      out += row("  " + family.name, family.errors, rank_text(family.rank_correlation));
      const std::string baseline = baseline_line(family.errors, family.baseline_mape);
      out += baseline.empty() ? "" : "  " + baseline;
    }
    out += class_notes(summary);
  }
  return out;
}

// Ids by reason.
std::string reasons(const Validation& validation, Outcome outcome, const std::string& what) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const CaseResult& result : validation.results) {
    if (result.outcome != outcome) {
      continue;
    }
    const std::string key = result.one->class_name + ": " + result.reason;
    if (groups.empty() || groups.back().first != key) {
      groups.emplace_back(key, std::vector<std::string>{});
    }
    groups.back().second.push_back(result.one->id);
  }
  std::string out;
  for (const auto& [reason, ids] : groups) {
    out += wrapped("", fmt::format("{} {}, {}", what, ids.size(), reason));
    out += wrapped("    ", fmt::format("{}", fmt::join(ids, " ")));
  }
  return out;
}

}  // namespace

std::string validation_text(const Validation& validation) {
  std::string out;
  for (const ClassSummary& summary : validation.classes) {
    out += cases_table(validation, summary.name) + profile_table(validation, summary.name);
  }
  out += classes_table(validation);
  const std::string apart = reasons(validation, Outcome::kFailed, "failed") +
                            reasons(validation, Outcome::kSkipped, "skipped");
  out += apart.empty() ? "" : "\n" + apart;
  if (validation.sensitivity) {
    out += "\n" + sensitivity_text(*validation.sensitivity);
  }
  for (const std::string& text : validation.overrides) {
    out += fmt::format("\nwith {}", text);
  }
  std::size_t not_rebuilt = 0;
  for (const ValidationFile& file : validation.files) {
    not_rebuilt += file.not_rebuilt.size();
  }
  out += fmt::format("\n{} cases: {} run, {} skipped, {} failed; {} known but not rebuilt\n",
                     validation.results.size(), validation.count(Outcome::kDone),
                     validation.count(Outcome::kSkipped), validation.count(Outcome::kFailed),
                     not_rebuilt);
  out += validation.within() ? "every class is within its tolerances\n"
                             : "a class is outside its tolerances\n";
  return out;
}

}  // namespace trnsim::study
