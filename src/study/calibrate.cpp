// Golden-section search, one key after another, with each family left out once.
#include "trnsim/study/calibrate.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <ostream>
#include <set>

#include "trnsim/base/error.h"
#include "trnsim/spec/loader.h"

namespace trnsim::study {
namespace {

constexpr double kShare = 0.01;  // of the range of a key
constexpr int kRounds = 2;       // over all keys, where there are several

std::string family_of(const CaseResult& result) {
  return result.one->class_name + " / " + result.one->family;
}

using Results = std::vector<CaseResult>;

// Mean error of the counted results whose family passes.
template <typename Passes>
double mean_error(const Results& results, const Passes& passes) {
  double sum = 0;
  std::size_t count = 0;
  for (const CaseResult& result : results) {
    if (result.counted() && passes(family_of(result))) {
      sum += std::abs(result.ratio() - 1);
      ++count;
    }
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

// Runs each set of values once: the searches with one family left out begin alike.
class Runs {
 public:
  explicit Runs(const Evaluate& evaluate) : evaluate_(evaluate) {}

  const Results& at(const std::vector<double>& values) {
    const auto found = known_.find(values);
    if (found != known_.end()) {
      return found->second;
    }
    Results results = evaluate_(values);
    for (const CaseResult& result : results) {
      if (result.outcome == Outcome::kFailed) {
        throw Error(fmt::format("case {} failed: {}", result.one->id, result.reason),
                    result.one->where);
      }
    }
    return known_.emplace(values, std::move(results)).first->second;
  }

 private:
  const Evaluate& evaluate_;
  std::map<std::vector<double>, Results> known_;
};

// Fitted on every family but `left_out` ("" = on all).
std::vector<double> fit(const std::vector<CalibrationKey>& keys, std::vector<double> values,
                        Runs& runs, const std::string& left_out) {
  const auto error = [&](const std::vector<double>& at) {
    return mean_error(runs.at(at), [&](const std::string& family) { return family != left_out; });
  };
  const int rounds = keys.size() == 1 ? 1 : kRounds;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      std::vector<double> trial = values;
      trial[i] = golden_section(
          [&](double value) {
            std::vector<double> at = values;
            at[i] = value;
            return error(at);
          },
          keys[i].from, keys[i].to, kShare);
      if (error(trial) < error(values)) {
        values = trial;
      }
    }
  }
  return values;
}

}  // namespace

double golden_section(const std::function<double(double)>& f, double from, double to,
                      double share) {
  const double inverse_phi = (std::sqrt(5.0) - 1) / 2;
  const double width = (to - from) * share;
  double left = to - inverse_phi * (to - from);
  double right = from + inverse_phi * (to - from);
  double f_left = f(left);
  double f_right = f(right);
  while (to - from > width) {
    if (f_left <= f_right) {
      to = right;
      right = left;
      f_right = f_left;
      left = to - inverse_phi * (to - from);
      f_left = f(left);
    } else {
      from = left;
      left = right;
      f_left = f_right;
      right = from + inverse_phi * (to - from);
      f_right = f(right);
    }
  }
  return (from + to) / 2;
}

bool Calibration::holds() const {
  double sum = 0;
  for (const HeldOut& family : held_out) {
    sum += family.error_after - family.error_before;
  }
  return sum < 0;
}

Calibration calibrate(const std::vector<CalibrationKey>& keys, const std::vector<double>& before,
                      const Evaluate& evaluate) {
  TRNSIM_CHECK(keys.size() == before.size(), "{} keys, {} values", keys.size(), before.size());
  if (keys.empty()) {
    throw Error("no validation file declares keys under 'calibrate'", {},
                "- {key: ..., from: ..., to: ...}");
  }
  Runs runs(evaluate);
  Calibration result;
  result.keys = keys;
  result.before = before;
  std::set<std::string> families;
  for (const CaseResult& one : runs.at(before)) {
    if (one.counted()) {
      families.insert(family_of(one));
      result.cases.push_back(one.one->id);
    }
  }
  if (families.size() < 2) {
    throw Error(fmt::format("{} family of cases ran: a fit cannot be checked on another",
                            families.size()));
  }
  const auto all = [](const std::string& /*family*/) { return true; };
  result.error_before = mean_error(runs.at(before), all);
  for (const std::string& family : families) {
    const auto only = [&](const std::string& other) { return other == family; };
    HeldOut& held = result.held_out.emplace_back();
    held.family = family;
    held.values = fit(keys, before, runs, family);
    held.error_before = mean_error(runs.at(before), only);
    held.error_after = mean_error(runs.at(held.values), only);
  }
  result.after = fit(keys, before, runs, "");
  result.error_after = mean_error(runs.at(result.after), all);
  return result;
}

std::vector<std::string> assignments(const std::vector<CalibrationKey>& keys,
                                     const std::vector<double>& values) {
  std::vector<std::string> set;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    set.push_back(fmt::format("{}={:.9g}", keys[i].key, values[i]));
    for (const std::string& other : keys[i].with) {
      set.push_back(fmt::format("{}={:.9g}", other, values[i]));
    }
  }
  return set;
}

std::vector<double> key_values(const std::vector<CalibrationKey>& keys, const std::string& system,
                               const std::vector<std::string>& set) {
  const spec::LoadedSystem loaded = spec::load_system(system, set);
  std::vector<double> values;
  std::vector<Finding> findings;
  const auto find = [&](const CalibrationKey& key, const std::string& path) {
    const auto leaf = std::find_if(loaded.leaves.begin(), loaded.leaves.end(),
                                   [&](const auto& one) { return one.path == path; });
    if (leaf == loaded.leaves.end()) {
      std::vector<std::string> paths;
      for (const spec::Provenance& one : loaded.leaves) {
        paths.push_back(one.path);
      }
      findings.push_back({key.where, fmt::format("{} has no key '{}'", system, path),
                          did_you_mean(path, paths)});
    }
    return leaf;
  };
  for (const CalibrationKey& key : keys) {
    for (const std::string& other : key.with) {
      static_cast<void>(find(key, other));
    }
    const auto leaf = find(key, key.key);
    if (leaf == loaded.leaves.end()) {
      continue;
    }
    double value = 0;
    const char* const end = leaf->value.data() + leaf->value.size();
    if (std::from_chars(leaf->value.data(), end, value).ptr != end) {
      findings.push_back({key.where, fmt::format("'{}' is no number: {}", key.key, leaf->value), ""});
      continue;
    }
    values.push_back(value);
  }
  if (!findings.empty()) {
    throw Error(std::move(findings));
  }
  return values;
}

std::string calibration_text(const Calibration& c) {
  std::string out = fmt::format("calibrated on {} cases\n", c.cases.size());
  for (std::size_t i = 0; i < c.keys.size(); ++i) {
    out += fmt::format("  {} {:.6g} -> {:.6g}\n", c.keys[i].key, c.before[i], c.after[i]);
  }
  out += fmt::format("  mean error {:.1f} % -> {:.1f} %\n", 100 * c.error_before,
                     100 * c.error_after);
  for (const HeldOut& family : c.held_out) {
    out += fmt::format("  without {}: {:.6g}; its error {:.1f} % -> {:.1f} %\n", family.family,
                       fmt::join(family.values, ", "), 100 * family.error_before,
                       100 * family.error_after);
  }
  return out + (c.holds() ? "" : "  families left out do not get better: the fit learns rows\n");
}

void write_calibration(const Calibration& c, const std::string& system, std::ostream& out) {
  YAML::Node root;
  root["base"] = system;
  for (std::size_t i = 0; i < c.keys.size(); ++i) {
    if (c.after[i] == c.before[i]) {
      continue;  // keeps the source it has
    }
    std::vector<std::string> paths = c.keys[i].with;
    paths.insert(paths.begin(), c.keys[i].key);
    for (std::string& path : paths) {
      YAML::Node node = root;
      for (std::size_t dot = 0; (dot = path.find('.')) != std::string::npos; path.erase(0, dot + 1)) {
        node.reset(node[path.substr(0, dot)]);
      }
      YAML::Node value;
      value["value"] = fmt::format("{:.6g}", c.after[i]);
      value["source"] = "trnsim validate --calibrate";
      value["status"] = "inferred";
      value["reason"] = fmt::format("fitted to {} measurements, was {:.6g}", c.cases.size(),
                                    c.before[i]);
      node[path] = value;
    }
  }
  out << fmt::format("# {} with keys fitted by trnsim validate --calibrate.\n", system);
  std::string lines = calibration_text(c);
  lines.pop_back();
  for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; ++at) {
    lines.insert(at + 1, "# ");
  }
  out << "# " << lines << fmt::format("\n# cases: {}\n", fmt::join(c.cases, " "));
  out << YAML::Dump(root) << '\n';
}

}  // namespace trnsim::study
