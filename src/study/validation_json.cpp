// Validation results as JSON and CSV.
#include <cmath>
#include <ostream>

#include "trnsim/base/error.h"
#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

using nlohmann::ordered_json;

const char* outcome_name(const CaseResult& result) {
  switch (result.outcome) {
    case Outcome::kDone:
      return result.counted() ? "run" : "bound";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kFailed:
      return "failed";
  }
  return "";
}

const std::string& clock_name(const CaseResult& result) {
  return clock_names().at(static_cast<std::size_t>(result.one->measured.clock));
}

ordered_json optional(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json errors_json(const ErrorStatistics& errors) {
  return {{"cases", errors.cases}, {"mape", errors.mape}, {"median", errors.median},
          {"p90", errors.p90},     {"bias", errors.bias}, {"worst", errors.worst}};
}

ordered_json profile_json(const ProfileFit& fit) {
  ordered_json out{{"measured_span_us", fit.measured_span_us},
                   {"simulated_span_us", fit.simulated_span_us},
                   {"engines", ordered_json::array()},
                   {"opcodes", ordered_json::array()}};
  for (const EngineBusy& engine : fit.engines) {
    out["engines"].push_back({{"engine", engine.engine},
                              {"measured_busy_us", engine.measured_us},
                              {"simulated_busy_us", engine.simulated_us},
                              {"error", engine.error()}});
  }
  for (const OpcodeError& opcode : fit.opcodes) {
    out["opcodes"].push_back({{"engine", opcode.engine},
                              {"opcode", opcode.opcode},
                              {"rows", opcode.rows},
                              {"median_error", opcode.median_error}});
  }
  return out;
}

ordered_json case_json(const CaseResult& result) {
  const ValidationCase& one = *result.one;
  ordered_json out{{"id", one.id},
                   {"class", one.class_name},
                   {"family", one.family},
                   {"grade", one.grade},
                   {"system", one.system},
                   {"outcome", outcome_name(result)},
                   {"measured_us", one.measured.time_us},
                   {"clock", clock_name(result)},
                   {"statistic", one.measured.statistic},
                   {"source", one.source}};
  if (!one.note.empty()) {
    out["note"] = one.note;
  }
  if (result.outcome != Outcome::kDone) {
    out["reason"] = result.reason;
    return out;
  }
  TRNSIM_CHECK(std::isfinite(result.ratio()), "the ratio of {} is not finite", one.id);
  out["kernel_us"] = result.kernel_us;
  out["simulated_us"] = result.simulated_us;
  out["ratio"] = result.ratio();
  if (result.look_ahead_us > 0) {
    out["look_ahead_us"] = result.look_ahead_us;
  }
  if (one.measured.active_us > 0) {
    out["active"] = {{"measured_us", one.measured.active_us},
                     {"simulated_us", result.active_us},
                     {"ratio", result.active_us / one.measured.active_us}};
  }
  if (one.measured.hbm_bytes > 0) {
    out["hbm"] = {{"measured_bytes", one.measured.hbm_bytes},
                  {"simulated_bytes", result.hbm_bytes},
                  {"ratio", result.hbm_bytes / one.measured.hbm_bytes}};
  }
  if (result.profile) {
    out["profile"] = profile_json(*result.profile);
  } else {
    out["bound"] = result.bound;
  }
  return out;
}

ordered_json beats_json(const ErrorStatistics& errors, const std::optional<double>& baseline) {
  const std::optional<bool> better = beats(errors, baseline);
  return better ? ordered_json(*better) : ordered_json(nullptr);
}

ordered_json class_json(const ClassSummary& summary) {
  ordered_json out{{"class", summary.name}};
  out.update(errors_json(summary.errors));
  if (summary.short_errors.cases > 0) {
    out["from_short_limit"] = errors_json(summary.judged);
    out["below_short_limit"] = errors_json(summary.short_errors);
  }
  out["skipped"] = summary.skipped;
  out["failed"] = summary.failed;
  out["upper_bounds"] = {{"cases", summary.bounds}, {"broken", summary.bounds_broken}};
  ordered_json families = ordered_json::array();
  for (const FamilySummary& family : summary.families) {
    ordered_json one{{"family", family.name}};
    one.update(errors_json(family.errors));
    one["rank_correlation"] = optional(family.rank_correlation);
    one["baseline_mape"] = optional(family.baseline_mape);
    one["beats_baseline"] = beats_json(family.errors, family.baseline_mape);
    families.push_back(std::move(one));
  }
  out["families"] = std::move(families);
  if (summary.active_errors.cases > 0) {
    out["active"] = errors_json(summary.active_errors);
  }
  if (summary.hbm_cases > 0) {
    out["hbm_bytes"] = {{"cases", summary.hbm_cases}, {"within_20_percent", summary.hbm_within_20}};
  }
  const ClassTolerance& tolerance = summary.tolerance;
  out["tolerances"] = {{"short_below_us", tolerance.short_below_us},
                       {"mape_max", optional(tolerance.mape_max)},
                       {"p90_max", optional(tolerance.p90_max)},
                       {"short_mape_max", optional(tolerance.short_mape_max)},
                       {"case_max", optional(tolerance.case_max)},
                       {"family_bias_max", optional(tolerance.family_bias_max)},
                       {"engine_busy_max", optional(tolerance.engine_busy_max)},
                       {"opcode_median_max", optional(tolerance.opcode_median_max)},
                       {"hbm_within_20_min", optional(tolerance.hbm_within_20_min)}};
  out["baseline_mape"] = optional(tolerance.baseline_mape);
  out["beats_baseline"] = beats_json(summary.errors, tolerance.baseline_mape);
  out["outside"] = summary.outside;
  return out;
}

// Quoted where a separator, a quote or a line end is inside.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

}  // namespace

ordered_json validation_json(const Validation& validation) {
  ordered_json out{{"schema", kValidateSchema}, {"trnsim_version", TRNSIM_VERSION}};
  out["overrides"] = validation.overrides;
  out["within_tolerances"] = validation.within();
  out["run"] = validation.count(Outcome::kDone);
  out["skipped"] = validation.count(Outcome::kSkipped);
  out["failed"] = validation.count(Outcome::kFailed);
  out["classes"] = ordered_json::array();
  for (const ClassSummary& summary : validation.classes) {
    out["classes"].push_back(class_json(summary));
  }
  out["cases"] = ordered_json::array();
  for (const CaseResult& result : validation.results) {
    out["cases"].push_back(case_json(result));
  }
  if (validation.sensitivity) {
    out["sensitivity"] = sensitivity_json(*validation.sensitivity);
  }
  out["not_rebuilt"] = ordered_json::array();
  for (const ValidationFile& file : validation.files) {
    for (const NotRebuilt& row : file.not_rebuilt) {
      out["not_rebuilt"].push_back({{"ids", row.ids}, {"reason", row.reason}});
    }
  }
  return out;
}

void validation_csv(const Validation& validation, std::ostream& out) {
  out << "id,class,family,grade,system,clock,outcome,measured_us,simulated_us,ratio,kernel_us,"
         "look_ahead_us,measured_active_us,simulated_active_us,measured_hbm_bytes,"
         "simulated_hbm_bytes,reason\n";
  for (const CaseResult& result : validation.results) {
    const ValidationCase& one = *result.one;
    out << fmt::format("{},{},{},{},{},{},{},{}", field(one.id), field(one.class_name),
                       field(one.family), one.grade, field(one.system), clock_name(result),
                       outcome_name(result), one.measured.time_us);
    const auto known = [](double value) { return value > 0 ? fmt::format("{}", value) : ""; };
    if (result.outcome == Outcome::kDone) {
      out << fmt::format(",{},{},{},{},{},{},{},{},\n", result.simulated_us, result.ratio(),
                         result.kernel_us, known(result.look_ahead_us),
                         known(one.measured.active_us), result.active_us,
                         known(one.measured.hbm_bytes), known(result.hbm_bytes));
    } else {
      out << fmt::format(",,,,,{},,{},,{}\n", known(one.measured.active_us),
                         known(one.measured.hbm_bytes), field(result.reason));
    }
  }
}

}  // namespace trnsim::study
