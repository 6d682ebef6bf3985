// Runs headlines with each assumption at the ends of its range.
#include "trnsim/study/sensitivity.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "trnsim/base/error.h"
#include "trnsim/spec/loader.h"

namespace trnsim::study {
namespace {

using Values = std::map<std::string, std::string>;  // key -> value

const std::vector<std::string> kNoKeys;

class Study {
 public:
  Study(const SensitivityFile& file, CaseRunner& runner) : file_(file), runner_(runner) {
    for (const ValidationCase& one : file_.headlines) {
      const RunSettings& settings = runner_.settings();
      std::vector<std::string> set = one.set;
      set.insert(set.end(), settings.set.begin(), settings.set.end());
      const spec::LoadedSystem loaded =
          spec::load_system(settings.system.empty() ? one.system : settings.system, set);
      Values& values = values_.emplace_back();
      for (const spec::Provenance& leaf : loaded.leaves) {
        values[leaf.path] = leaf.value;
      }
    }
  }

  [[nodiscard]] std::vector<CaseResult> defaults() {
    std::vector<const ValidationCase*> cases;
    for (const ValidationCase& one : file_.headlines) {
      cases.push_back(&one);
    }
    base_ = runner_.run(cases);
    return base_;
  }

  [[nodiscard]] AssumptionEffect effect(const Assumption& assumption) {
    AssumptionEffect result;
    result.headlines.resize(file_.headlines.size());
    if (assumption.keys.empty()) {
      return result;
    }
    for (const std::string& key : assumption.keys) {
      result.defaults.push_back(default_of(key, assumption));
    }
    move(assumption, assumption.low, &HeadlineEffect::low, result);
    move(assumption, assumption.high, &HeadlineEffect::high, result);
    return result;
  }

 private:
  [[nodiscard]] bool concerns(const Assumption& assumption, std::size_t headline) const {
    const std::vector<std::string>& only = assumption.only;
    return only.empty() ||
           std::find(only.begin(), only.end(), file_.headlines[headline].id) != only.end();
  }

  // Distinct values over the systems, in the order of the headlines.
  [[nodiscard]] std::string default_of(const std::string& key, const Assumption& assumption) const {
    std::vector<std::string> distinct;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto found = values_[i].find(key);
      if (concerns(assumption, i) && found != values_[i].end() &&
          std::find(distinct.begin(), distinct.end(), found->second) == distinct.end()) {
        distinct.push_back(found->second);
      }
    }
    return fmt::format("{}", fmt::join(distinct, " or "));
  }

  void move(const Assumption& assumption, const RangeEnd& end,
            std::optional<double> HeadlineEffect::*side, AssumptionEffect& result) {
    // Headlines whose systems get the same values run together.
    std::map<std::vector<std::string>, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < file_.headlines.size(); ++i) {
      std::vector<std::string> set;
      for (const std::string& key : concerns(assumption, i) ? assumption.keys : kNoKeys) {
        if (const auto found = values_[i].find(key); found != values_[i].end()) {
          set.push_back(key + "=" + moved_value(end, found->second));
        }
      }
      if (!set.empty() && base_[i].outcome == Outcome::kDone) {
        groups[set].push_back(i);
      }
    }
    for (const auto& [set, members] : groups) {
      std::vector<const ValidationCase*> cases;
      for (const std::size_t i : members) {
        cases.push_back(&file_.headlines[i]);
      }
      const std::vector<CaseResult> moved = runner_.run(cases, set);
      for (std::size_t k = 0; k < members.size(); ++k) {
        if (moved[k].outcome == Outcome::kDone) {
          result.headlines[members[k]].*side = moved[k].kernel_us / base_[members[k]].kernel_us - 1;
        } else {
          result.failed = moved[k].reason;
        }
      }
    }
  }

  const SensitivityFile& file_;
  CaseRunner& runner_;
  std::vector<Values> values_;  // of each headline's system
  std::vector<CaseResult> base_;
};

}  // namespace

std::string moved_value(const RangeEnd& end, const std::string& now) {
  constexpr double kPercent = 100;
  if (!end.percent) {
    return fmt::format("{:.9g}", end.value);
  }
  double value = 0;
  const char* const last = now.data() + now.size();
  if (std::from_chars(now.data(), last, value).ptr != last) {
    throw Error(fmt::format("a change in percent of '{}', which is no number", now));
  }
  const double moved = value * (1 + end.value / kPercent);
  const bool whole = now.find_first_not_of("0123456789") == std::string::npos;
  return whole ? fmt::format("{:.0f}", std::round(moved)) : fmt::format("{:.9g}", moved);
}

bool AssumptionEffect::exercised() const {
  return !failed.empty() || std::any_of(headlines.begin(), headlines.end(), [](const auto& one) {
    return one.low.value_or(0) != 0 || one.high.value_or(0) != 0;
  });
}

Sensitivity measure_sensitivity(SensitivityFile file, CaseRunner& runner) {
  Sensitivity result;
  result.file = std::move(file);
  Study study(result.file, runner);
  result.headlines = study.defaults();
  for (const Assumption& assumption : result.file.assumptions) {
    if (runner.settings().stop != nullptr && *runner.settings().stop != 0) {
      break;
    }
    result.effects.push_back(study.effect(assumption));
  }
  return result;
}

}  // namespace trnsim::study
