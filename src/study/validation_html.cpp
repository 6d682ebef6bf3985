// One HTML page without scripts or references: a scatter plot and the tables.
#include <algorithm>
#include <array>
#include <cmath>

#include "markup.h"
#include "trnsim/base/error.h"
#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

constexpr const char* kStyle = R"(<style>
body{font:15px/1.45 system-ui,sans-serif;color:#1c2733;background:#fff;max-width:1120px;margin:2em auto;padding:0 1em}
h1{font-size:1.6em;margin:0 0 .2em}h2{font-size:1.15em;margin:2em 0 .5em}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{white-space:nowrap}td.w,td:last-child{white-space:normal}
th,td{padding:.28em .6em;border-bottom:1px solid #e3e8ee;text-align:right;vertical-align:top;white-space:nowrap}
th{color:#52606d;font-weight:600;border-bottom:2px solid #cbd3dc}
th.t,td.t{text-align:left;white-space:normal}tr.c td{font-weight:600;background:#f5f7fa}
.ok{color:#0b7a4b}.bad{color:#b42318}.dim{color:#6b7885}
svg text{font:13px system-ui,sans-serif;fill:#52606d}
@media print{body{margin:0}}
</style>)";

// Distinct also for colour-blind readers.
constexpr std::array<const char*, 8> kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                              "#b8860b", "#56b4e9", "#7b4ab8", "#333333"};

// Both axes alike and logarithmic, whole decades halved at 2 and 5.
class Plot {
 public:
  explicit Plot(const Validation& validation) : validation_(validation) {
    double least = 1e300;
    double most = 0;
    for (const CaseResult& result : validation.results) {
      if (result.outcome == Outcome::kDone) {
        least = std::min({least, result.one->measured.time_us, result.simulated_us});
        most = std::max({most, result.one->measured.time_us, result.simulated_us});
      }
    }
    empty_ = most == 0;
    from_ = empty_ ? 0 : std::log10(least * 0.8);
    to_ = empty_ ? 1 : std::log10(most * 1.25);
  }

  [[nodiscard]] std::string svg() const {
    if (empty_) {
      return "<p class=dim>No case ran.</p>\n";
    }
    std::string out = fmt::format(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" width=\"100%\" "
        "aria-label=\"measured against simulated time\">\n",
        kWidth, kHeight);
    out += grid() + diagonal(1, "#52606d", "") + diagonal(1.1, "#94a3b3", "6 4") +
           diagonal(0.9, "#94a3b3", "6 4") + points() + legend();
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">measured, us</text>\n",
                       kLeft + kSide / 2, kHeight - 8);
    out += fmt::format(
        "<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">simulated, "
        "us</text>\n</svg>\n",
        kTop + kSide / 2);
    return out;
  }

 private:
  static constexpr double kWidth = 1100;
  static constexpr double kHeight = 720;
  static constexpr double kLeft = 80;
  static constexpr double kTop = 14;
  static constexpr double kSide = 650;  // the plot is a square

  [[nodiscard]] double x(double us) const {
    return kLeft + kSide * (std::log10(us) - from_) / (to_ - from_);
  }
  [[nodiscard]] double y(double us) const {
    return kTop + kSide * (to_ - std::log10(us)) / (to_ - from_);
  }

  [[nodiscard]] std::string grid() const {
    std::string out;
    for (int decade = static_cast<int>(std::floor(from_)); decade <= to_; ++decade) {
      for (const int digit : {1, 2, 5}) {
        const double us = digit * std::pow(10.0, decade);
        if (std::log10(us) < from_ || std::log10(us) > to_) {
          continue;
        }
        out += fmt::format(
            "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {4:.1f}H{5:.1f}\" stroke=\"{6}\"/>\n"
            "<text x=\"{0:.1f}\" y=\"{7:.1f}\" text-anchor=\"middle\">{8:.6g}</text>\n"
            "<text x=\"{9:.1f}\" y=\"{10:.1f}\" text-anchor=\"end\">{8:.6g}</text>\n",
            x(us), kTop, kTop + kSide, kLeft, y(us), kLeft + kSide,
            digit == 1 ? "#d5dce4" : "#eef1f5", kTop + kSide + 18, us, kLeft - 8, y(us) + 4);
      }
    }
    return out;
  }

  // simulated = factor x measured, inside the square.
  [[nodiscard]] std::string diagonal(double factor, const char* colour, const char* dashes) const {
    const double shift = std::log10(factor);
    const double first = std::pow(10.0, std::max(from_, from_ - shift));
    const double last = std::pow(10.0, std::min(to_, to_ - shift));
    return fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
        "stroke-dasharray=\"{}\"/>\n",
        x(first), y(first * factor), x(last), y(last * factor), colour, dashes);
  }

  [[nodiscard]] const char* colour(const std::string& class_name) const {
    for (std::size_t i = 0; i < validation_.classes.size(); ++i) {
      if (validation_.classes[i].name == class_name) {
        return kColours.at(i % kColours.size());
      }
    }
    return kColours.back();
  }

  [[nodiscard]] std::string points() const {
    std::string out;
    for (const CaseResult& result : validation_.results) {
      if (result.outcome != Outcome::kDone) {
        continue;
      }
      out += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\" fill-opacity=\"{}\" "
          "stroke=\"#fff\"><title>{} {}: measured {:.2f} us, simulated {:.2f} us, ratio "
          "{:.3f}</title></circle>\n",
          x(result.one->measured.time_us), y(result.simulated_us),
          colour(result.one->class_name), result.counted() ? "0.75" : "0.25",
          escaped(result.one->id), escaped(result.one->family), result.one->measured.time_us,
          result.simulated_us, result.ratio());
    }
    return out;
  }

  [[nodiscard]] std::string legend() const {
    constexpr double kX = kLeft + kSide + 36;
    constexpr double kStep = 26;
    double at = kTop + 16;
    std::string out;
    for (const ClassSummary& summary : validation_.classes) {
      if (summary.errors.cases + summary.bounds == 0) {
        continue;
      }
      out += fmt::format(
          "<circle cx=\"{0}\" cy=\"{1}\" r=\"6\" fill=\"{2}\"/>"
          "<text x=\"{3}\" y=\"{4}\">{5}: {6} cases, MAPE {7:.1f} %</text>\n",
          kX, at, colour(summary.name), kX + 16, at + 5, escaped(summary.name),
          summary.errors.cases + summary.bounds, 100 * summary.errors.mape);
      at += kStep;
    }
    out += fmt::format(
        "<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{1}\" stroke=\"#94a3b3\" "
        "stroke-dasharray=\"6 4\"/><text x=\"{3}\" y=\"{4}\">+-10 %</text>\n",
        kX - 8, at, kX + 8, kX + 16, at + 5);
    return out;
  }

  const Validation& validation_;
  bool empty_ = true;
  double from_ = 0;  // log10
  double to_ = 1;
};

std::string error_cells(const ErrorStatistics& errors) {
  return fmt::format("<td>{}<td>{:.1f} %<td>{:.1f} %<td>{:.1f} %<td>{:+.1f} %", errors.cases,
                     100 * errors.mape, 100 * errors.median, 100 * errors.p90, 100 * errors.bias);
}

std::string baseline_cell(const ErrorStatistics& errors, const std::optional<double>& baseline) {
  const std::optional<bool> better = beats(errors, baseline);
  return !better ? ""
                 : fmt::format("<span class={}>{} of a regression without simulation</span>",
                               *better ? "ok" : "bad", baseline_text(errors, baseline));
}

std::string verdict(const ClassSummary& summary) {
  std::string text;
  if (summary.errors.cases == 0 && summary.failed == 0) {
    text = "<span class=dim>not run</span>";
  } else if (!summary.outside.empty()) {
    text = fmt::format("<span class=bad>{}</span>",
                       escaped(fmt::format("{}", fmt::join(summary.outside, "; "))));
  } else {
    text = "<span class=ok>within</span>";
  }
  const std::string baseline = baseline_cell(summary.errors, summary.tolerance.baseline_mape);
  text += baseline.empty() ? "" : "<br>" + baseline;
  if (summary.hbm_cases > 0) {
    text += fmt::format("<br><span class=dim>HBM bytes within 20 %: {} of {}</span>",
                        summary.hbm_within_20, summary.hbm_cases);
  }
  return text;
}

std::string classes_table(const Validation& validation) {
  std::string out =
      "<table><tr><th class=t>class, family<th>cases<th>MAPE<th>median<th>p90<th>bias<th>rank "
      "corr.<th class=t>tolerances, baseline\n";
  for (const ClassSummary& summary : validation.classes) {
    out += fmt::format("<tr class=c><td class=t>{}{}<td><td class=t>{}\n", escaped(summary.name),
                       error_cells(summary.errors), verdict(summary));
    for (const FamilySummary& family : summary.families) {
      out += fmt::format("<tr><td class=t>&ensp;{}{}<td>{}<td class=t>{}\n", escaped(family.name),
                         error_cells(family.errors),
                         family.rank_correlation ? fmt::format("{:.2f}", *family.rank_correlation)
                                                 : "",
                         baseline_cell(family.errors, family.baseline_mape));
    }
  }
  return out + "</table>\n";
}

std::string case_row(const CaseResult& result) {
  const double error = std::abs(result.ratio() - 1);
  constexpr double kFar = 0.2;
  return fmt::format(
      "<tr><td class=t>{}<td class=t>{}<td class=t>{}<td class=t>{}<td>{:.2f}<td>{:.2f}<td "
      "class={}>{:.3f}<td class=t>{}\n",
      escaped(result.one->id), escaped(result.one->class_name), escaped(result.one->family),
      escaped(result.one->system), result.one->measured.time_us, result.simulated_us,
      error > kFar ? "bad" : "ok", result.ratio(), escaped(result.bound));
}

std::string case_table(const std::vector<const CaseResult*>& rows) {
  std::string out =
      "<table><tr><th class=t>case<th class=t>class<th class=t>family<th class=t>system<th>measured "
      "us<th>simulated us<th>ratio<th class=t>what bounds it\n";
  for (const CaseResult* row : rows) {
    out += case_row(*row);
  }
  return out + "</table>\n";
}

std::string profiles(const Validation& validation) {
  std::string rows;
  for (const CaseResult* result : profile_results(validation, "")) {
    const ProfileFit& fit = *result->profile;
    rows += fmt::format("<tr><td class=t>{}<td>{:.2f}<td>{:.2f}<td class=t>{}<td class=t>{}\n",
                        escaped(result->one->id), fit.measured_span_us, fit.simulated_span_us,
                        escaped(worst_engine_text(fit)), escaped(worst_opcode_text(fit)));
  }
  return rows.empty() ? ""
                      : "<h2>Replayed profiles</h2>\n<table><tr><th class=t>case<th>kernel span, us"
                        "<th>simulated<th class=t>busy time of the worst engine<th class=t>median "
                        "duration of the worst opcode\n" +
                            rows + "</table>\n";
}

std::string apart(const Validation& validation) {
  std::string rows;
  for (const Apart& row : apart_rows(validation)) {
    rows += fmt::format("<tr><td class=t>{}<td class=t>{}<td class=t>{}\n", escaped(row.ids), row.state,
                        escaped(row.reason));
  }
  return rows.empty() ? ""
                      : "<h2>Not compared</h2>\n<table><tr><th class=t>case<th class=t>state<th "
                        "class=t>reason\n" +
                            rows + "</table>\n";
}

}  // namespace

std::string validation_html(const Validation& validation) {
  constexpr std::size_t kWorst = 15;
  std::vector<const CaseResult*> done;
  for (const CaseResult& result : validation.results) {
    if (result.outcome == Outcome::kDone) {
      done.push_back(&result);
    }
  }
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>trnsim "
      "validation</title>\n" +
      std::string(kStyle);
  out += fmt::format(
      "\n<h1>trnsim {}: simulated against measured</h1>\n<p class=dim>{} cases run, {} skipped, {} "
      "failed. <span class={}>{}</span></p>\n",
      TRNSIM_VERSION, done.size(), validation.count(Outcome::kSkipped),
      validation.count(Outcome::kFailed), validation.within() ? "ok" : "bad",
      validation.within() ? "Every class is within its tolerances."
                          : "A class is outside its tolerances.");
  for (const std::string& text : validation.overrides) {
    out += fmt::format("<p>with {}</p>\n", escaped(text));
  }
  out += Plot(validation).svg() + "<h2>Classes</h2>\n" + classes_table(validation);
  out += profiles(validation) + "<h2>Worst cases</h2>\n" + case_table(validation.worst(kWorst));
  if (validation.sensitivity) {
    out += sensitivity_html(*validation.sensitivity);
  }
  out += "<h2>All cases</h2>\n" + case_table(done) + apart(validation) + "</html>\n";
  return out;
}

}  // namespace trnsim::study
