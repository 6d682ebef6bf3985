// The sensitivity of headline results as text, Markdown, HTML and JSON.
#include <algorithm>
#include <cmath>

#include "markup.h"
#include "trnsim/base/error.h"
#include "trnsim/study/sensitivity.h"

namespace trnsim::study {
namespace {

constexpr double kPercent = 100;
constexpr const char* kUnused = "Not exercised by a headline yet";

struct Row {
  const Assumption* assumption;
  const AssumptionEffect* effect;

  // Largest change of any headline.
  [[nodiscard]] double largest() const {
    double most = 0;
    for (const HeadlineEffect& one : effect->headlines) {
      most = std::max({most, std::abs(one.low.value_or(0)), std::abs(one.high.value_or(0))});
    }
    return most;
  }
};

// Those that move a headline, by the largest change; or those that move none, in the order of the file.
std::vector<Row> rows(const Sensitivity& sensitivity, bool exercised) {
  std::vector<Row> result;
  for (std::size_t i = 0; i < sensitivity.effects.size(); ++i) {
    if (sensitivity.effects[i].exercised() == exercised) {
      result.push_back({&sensitivity.file.assumptions[i], &sensitivity.effects[i]});
    }
  }
  if (exercised) {
    std::stable_sort(result.begin(), result.end(),
                     [](const Row& a, const Row& b) { return a.largest() > b.largest(); });
  }
  return result;
}

std::string time_text(const CaseResult& headline) {
  return headline.outcome == Outcome::kDone ? fmt::format("{:.2f} us", headline.kernel_us)
         : headline.outcome == Outcome::kSkipped
             ? fmt::format("skipped: {}", headline.reason)
             : fmt::format("failed: {}", headline.reason);
}

std::string range_text(const Row& row) {
  return fmt::format("{}, {} to {}", fmt::join(row.effect->defaults, ", "),
                     end_text(row.assumption->low), end_text(row.assumption->high));
}

std::string unused_reason(const Row& row) {
  return row.assumption->keys.empty()
             ? row.assumption->reason
             : fmt::format("{} at {} and {}: no headline changes; {}",
                           fmt::join(row.assumption->keys, ", "), end_text(row.assumption->low),
                           end_text(row.assumption->high), row.assumption->reason);
}

}  // namespace

std::string effect_text(const HeadlineEffect& effect) {
  const auto one = [](const std::optional<double>& change) -> std::string {
    if (!change) {
      return "-";
    }
    constexpr double kShown = 5e-4;  // half of the last digit
    return std::abs(*change) < kShown ? "0" : fmt::format("{:+.1f}", kPercent * *change);
  };
  if (!effect.low && !effect.high) {
    return "";
  }
  const std::string low = one(effect.low);
  const std::string high = one(effect.high);
  return low == "0" && high == "0" ? "0" : fmt::format("{} / {}", low, high);
}

std::string end_text(const RangeEnd& end) {
  return end.percent ? fmt::format("{:+g} %", end.value) : fmt::format("{:g}", end.value);
}

std::string sensitivity_text(const Sensitivity& s) {
  std::string out = "sensitivity: change of the kernel time in %, at the low / high end of a range\n";
  for (const CaseResult& headline : s.headlines) {
    out += wrapped("  ", fmt::format("{}: {}", headline.one->id, time_text(headline)));
  }
  for (const Row& row : rows(s, true)) {
    out += wrapped("", fmt::format("{} ({})", row.assumption->row, range_text(row)));
    std::vector<std::string> changes;
    for (std::size_t i = 0; i < s.headlines.size(); ++i) {
      const std::string change = effect_text(row.effect->headlines[i]);
      if (!change.empty() && change != "0") {
        changes.push_back(fmt::format("{} {}", s.headlines[i].one->id, change));
      }
    }
    out += wrapped("    ", changes.empty() ? "less than 0.05 everywhere"
                                           : fmt::format("{}", fmt::join(changes, ", ")));
    if (!row.effect->failed.empty()) {
      out += wrapped("    ", "failed: " + row.effect->failed);
    }
  }
  for (const Row& row : rows(s, false)) {
    out += wrapped("", fmt::format("{}: not exercised by a headline yet", row.assumption->row));
  }
  return out;
}

std::string sensitivity_markdown(const Sensitivity& s) {
  std::string out = "\n## Sensitivity to assumptions\n\n";
  out += s.file.notes.empty() ? "" : s.file.notes + "\n\n";
  out += "Change of the kernel time in percent, at the low / high end of each range; largest effect first. An "
         "empty cell: the system of that headline has no such key, or it was not run.\n\n"
         "| headline | system | kernel time |\n|---|---|---|\n";
  for (const CaseResult& headline : s.headlines) {
    out += fmt::format("| {} | {} | {} |\n", cell(headline.one->id), headline.one->system,
                       cell(time_text(headline)));
  }
  out += "\n| assumption | default | low | high |";
  std::string line = "|---|---|---|---|";
  for (const CaseResult& headline : s.headlines) {
    out += fmt::format(" {} |", cell(headline.one->id));
    line += "---|";
  }
  out += "\n" + line + "\n";
  std::string reasons;
  for (const Row& row : rows(s, true)) {
    out += fmt::format("| {} | {} | {} | {} |", cell(row.assumption->row),
                       fmt::join(row.effect->defaults, ", "), end_text(row.assumption->low),
                       end_text(row.assumption->high));
    for (const HeadlineEffect& effect : row.effect->headlines) {
      out += fmt::format(" {} |", effect_text(effect));
    }
    out += "\n";
    reasons += fmt::format("- {} (`{}`): {}.{}\n", row.assumption->row,
                           fmt::join(row.assumption->keys, "`, `"), row.assumption->reason,
                           row.effect->failed.empty() ? "" : " A run failed: " + row.effect->failed);
  }
  out += "\nWhy these ranges:\n\n" + reasons;
  std::string unused;
  for (const Row& row : rows(s, false)) {
    unused += fmt::format("| {} | {} |\n", cell(row.assumption->row), cell(unused_reason(row)));
  }
  return unused.empty() ? out
                        : out + fmt::format("\n{}:\n\n| assumption | why |\n|---|---|\n", kUnused) + unused;
}

std::string sensitivity_html(const Sensitivity& s) {
  std::string out =
      "<h2>Sensitivity to assumptions</h2>\n<p class=dim>Change of the kernel time in percent, at the low / "
      "high end of each range.</p>\n<table><tr><th class=t>assumption<th>default<th>low<th>high";
  for (const CaseResult& headline : s.headlines) {
    out += fmt::format("<th>{}", escaped(headline.one->id));
  }
  out += "\n<tr><td class=t>kernel time<td><td><td>";
  for (const CaseResult& headline : s.headlines) {
    out += fmt::format("<td>{}", escaped(time_text(headline)));
  }
  out += "\n";
  for (const Row& row : rows(s, true)) {
    out += fmt::format("<tr><td class=t title=\"{}\">{}<td>{}<td>{}<td>{}",
                       escaped(row.assumption->reason), escaped(row.assumption->row),
                       escaped(fmt::format("{}", fmt::join(row.effect->defaults, ", "))),
                       end_text(row.assumption->low), end_text(row.assumption->high));
    for (const HeadlineEffect& effect : row.effect->headlines) {
      out += fmt::format("<td>{}", effect_text(effect));
    }
    out += "\n";
  }
  out += "</table>\n";
  std::string unused;
  for (const Row& row : rows(s, false)) {
    unused += fmt::format("<li>{}: {}\n", escaped(row.assumption->row), escaped(unused_reason(row)));
  }
  return unused.empty() ? out : out + fmt::format("<p>{}:</p>\n<ul>\n", kUnused) + unused + "</ul>\n";
}

nlohmann::ordered_json sensitivity_json(const Sensitivity& s) {
  using nlohmann::ordered_json;
  const auto number = [](const std::optional<double>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
  };
  const auto end = [](const RangeEnd& one) {
    return one.percent ? ordered_json{{"percent", one.value}} : ordered_json{{"value", one.value}};
  };
  ordered_json out{{"headlines", ordered_json::array()}, {"assumptions", ordered_json::array()}};
  for (const CaseResult& headline : s.headlines) {
    ordered_json one{{"id", headline.one->id}, {"system", headline.one->system}};
    if (headline.outcome == Outcome::kDone) {
      one["kernel_us"] = headline.kernel_us;
    } else {
      one["reason"] = headline.reason;
    }
    out["headlines"].push_back(std::move(one));
  }
  for (std::size_t i = 0; i < s.effects.size(); ++i) {
    const Assumption& assumption = s.file.assumptions[i];
    const AssumptionEffect& effect = s.effects[i];
    ordered_json one{{"row", assumption.row}, {"keys", assumption.keys}, {"reason", assumption.reason}};
    if (!assumption.keys.empty()) {
      one["default"] = effect.defaults;
      one["low"] = end(assumption.low);
      one["high"] = end(assumption.high);
    }
    one["exercised"] = effect.exercised();
    one["changes"] = ordered_json::array();
    for (std::size_t k = 0; k < s.headlines.size(); ++k) {
      one["changes"].push_back({{"headline", s.headlines[k].one->id},
                                {"low", number(effect.headlines[k].low)},
                                {"high", number(effect.headlines[k].high)}});
    }
    if (!effect.failed.empty()) {
      one["failed"] = effect.failed;
    }
    out["assumptions"].push_back(std::move(one));
  }
  return out;
}

}  // namespace trnsim::study
