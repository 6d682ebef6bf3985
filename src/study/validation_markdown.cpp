// docs/accuracy.md: where the model stands, what is worst, and what is assumed.
#include <set>

#include "markup.h"
#include "trnsim/base/error.h"
#include "trnsim/spec/loader.h"
#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

std::string error_cells(const ErrorStatistics& errors) {
  return fmt::format("{} | {:.1f} % | {:.1f} % | {:.1f} % | {:+.1f} %", errors.cases,
                     100 * errors.mape, 100 * errors.median, 100 * errors.p90, 100 * errors.bias);
}

std::string verdict(const ClassSummary& summary) {
  if (!summary.outside.empty()) {
    return fmt::format("**outside**: {}", fmt::join(summary.outside, "; "));
  }
  return summary.errors.cases == 0 ? "not run" : "within";
}

// What replayed profiles say besides their totals.
std::string profiles_table(const Validation& validation, const std::string& class_name) {
  std::string rows;
  for (const CaseResult* result : profile_results(validation, class_name)) {
    const ProfileFit& fit = *result->profile;
    rows += fmt::format("| {} | {:.2f} | {:.2f} | {} | {} |\n", cell(result->one->id),
                        fit.measured_span_us, fit.simulated_span_us, worst_engine_text(fit),
                        worst_opcode_text(fit));
  }
  return rows.empty() ? ""
                      : "\n| profile | kernel span, us | simulated | busy time of the worst engine | "
                        "median duration of the worst opcode |\n|---|---|---|---|---|\n" +
                            rows;
}

std::string classes_section(const Validation& validation) {
  std::string out =
      "## Classes\n\n"
      "| class | cases | MAPE | median | p90 | bias | tolerances | regression without simulation |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const ClassSummary& summary : validation.classes) {
    out += fmt::format("| {} | {} | {} | {} |\n", cell(summary.name), error_cells(summary.errors),
                       cell(verdict(summary)),
                       baseline_text(summary.errors, summary.tolerance.baseline_mape));
  }
  for (const ClassSummary& summary : validation.classes) {
    if (summary.errors.cases == 0) {
      continue;
    }
    out += fmt::format("\n### {}\n\n", summary.name);
    if (!summary.tolerance.notes.empty()) {
      out += summary.tolerance.notes + "\n\n";
    }
    out += "| family | cases | MAPE | median | p90 | bias | rank correlation | regression without simulation |\n"
           "|---|---|---|---|---|---|---|---|\n";
    for (const FamilySummary& family : summary.families) {
      out += fmt::format(
          "| {} | {} | {} | {} |\n", cell(family.name), error_cells(family.errors),
          family.rank_correlation ? fmt::format("{:.2f}", *family.rank_correlation) : "",
          baseline_text(family.errors, family.baseline_mape));
    }
    if (summary.short_errors.cases > 0) {
      out += fmt::format(
          "\nFrom {0:g} us: {1} cases, MAPE {2:.1f} %, p90 {3:.1f} %; below: {4} cases, MAPE {5:.1f} %.\n",
          summary.tolerance.short_below_us, summary.judged.cases, 100 * summary.judged.mape,
          100 * summary.judged.p90, summary.short_errors.cases, 100 * summary.short_errors.mape);
    }
    out += profiles_table(validation, summary.name);
    if (summary.active_errors.cases > 0) {
      out += fmt::format("\nActive time: MAPE {:.1f} %, bias {:+.1f} %.\n",
                         100 * summary.active_errors.mape, 100 * summary.active_errors.bias);
    }
    if (summary.hbm_cases > 0) {
      out += fmt::format("\nHBM bytes within 20 % in {} of {} cases.\n", summary.hbm_within_20,
                         summary.hbm_cases);
    }
  }
  return out;
}

std::string case_rows(const std::vector<const CaseResult*>& rows) {
  std::string out =
      "| case | class | family | system | measured us | simulated us | ratio | bound |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const CaseResult* row : rows) {
    out += fmt::format("| {} | {} | {} | {} | {:.2f} | {:.2f} | {:.3f} | {} |\n",
                       cell(row->one->id), cell(row->one->class_name), cell(row->one->family),
                       row->one->system, row->one->measured.time_us, row->simulated_us,
                       row->ratio(), cell(row->bound));
  }
  return out;
}

std::string apart_section(const Validation& validation) {
  std::string rows;
  for (const Apart& row : apart_rows(validation)) {
    rows += fmt::format("| {} | {} | {} |\n", cell(row.ids), row.state, cell(row.reason));
  }
  return rows.empty() ? ""
                      : "\n## Not compared\n\nNever counted.\n\n| case | state | reason "
                        "|\n|---|---|---|\n" +
                            rows;
}

// The constants of each clock and how many values of each system are assumed.
std::string assumed_section(const Validation& validation) {
  std::set<std::string> systems;
  for (const CaseResult& result : validation.results) {
    if (result.outcome == Outcome::kDone) {
      systems.insert(result.one->system);
    }
  }
  std::string out =
      "\n## What is assumed\n\n"
      "A measured time belongs to a clock; what a launch adds on it is added to the simulated kernel "
      "time before comparing: kernel_span and device +0; profile_total + preamble + tail; counter + preamble + "
      "tail + counter_extra; nc_latency + preamble + tail - nc_latency_below_profile; active + preamble "
      "+ tail - active_below_profile.\n\n| system | value | us | status | source or reason |\n"
      "|---|---|---|---|---|\n";
  std::string counts;
  for (const std::string& name : systems) {
    const spec::LoadedSystem system = spec::load_system(name);
    std::size_t assumed = 0;
    std::size_t sourced = 0;
    for (const spec::Provenance& leaf : system.leaves) {
      if (leaf.structural || leaf.inert) {
        continue;
      }
      ++sourced;
      assumed += leaf.status == spec::Status::kAssumed ? 1 : 0;
      if (leaf.path.starts_with("launch.")) {
        out += fmt::format("| {} | `{}` | {} | {} | {} |\n", name, leaf.path, leaf.value,
                           spec::name(leaf.status),
                           cell(leaf.reason.empty() ? leaf.source : leaf.reason));
      }
    }
    counts += fmt::format("- {}: {} of {} values that a model uses are assumed.\n", name, assumed,
                          sourced);
  }
  return out + "\n" + counts + "\n`trnsim describe SYSTEM` lists them with their reasons.\n";
}

}  // namespace

std::string validation_markdown(const Validation& validation, const std::string& notes) {
  constexpr std::size_t kWorst = 15;
  std::string out = notes.empty() ? "# Accuracy\n" : notes;
  out += fmt::format(
      "\nWritten by `trnsim validate --markdown`; {} cases run, {} skipped, {} failed. Error is "
      "|simulated / measured - 1|; bias is the mean of simulated / measured - 1, above zero where the "
      "model is too slow; p90 is the least error that 90 % of the cases do not exceed.\n\n",
      validation.count(Outcome::kDone), validation.count(Outcome::kSkipped),
      validation.count(Outcome::kFailed));
  for (const std::string& text : validation.overrides) {
    out += fmt::format("With {}.\n\n", text);
  }
  for (const ValidationFile& file : validation.files) {
    out += file.notes.empty() ? "" : file.notes + "\n\n";
  }
  out += classes_section(validation);
  out += "\n## Worst cases\n\n" + case_rows(validation.worst(kWorst));
  if (validation.sensitivity) {
    out += sensitivity_markdown(*validation.sensitivity);
  }
  return out + apart_section(validation) + assumed_section(validation);
}

}  // namespace trnsim::study
