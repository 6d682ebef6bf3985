// Reader of sensitivity.yaml.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "case_reader.h"
#include "data_folder.h"
#include "trnsim/spec/loader.h"
#include "trnsim/study/sensitivity.h"

namespace trnsim::study {
namespace {

class Reader {
 public:
  Reader(const std::string& path, const std::vector<ValidationFile>& files)
      : yaml_(path), cases_(yaml_), files_(files) {
    file_.path = path;
  }

  SensitivityFile read() {
    const YAML::Node root = yaml_.load();
    if (yaml_.check_map(root, {"version", "notes", "headlines", "assumptions"})) {
      std::uint32_t version = 0;
      yaml_.count(root, "version", 1, 1, version);
      if (!root["version"]) {
        yaml_.find(root, "'version' is missing", "this program reads version: 1");
      }
      yaml_.text(root, "notes", file_.notes);
      for (const YAML::Node& node : yaml_.list(root, "headlines")) {
        read_headline(node);
      }
      if (file_.headlines.empty()) {
        yaml_.find(root, "'headlines' is missing", "- {id: ..., system: ..., run: ...}");
      }
      yaml_.finish();  // the systems of headlines exist from here on
      for (const YAML::Node& node : yaml_.list(root, "assumptions")) {
        read_assumption(node);
      }
    }
    yaml_.finish();
    return std::move(file_);
  }

 private:
  void read_headline(const YAML::Node& node) {
    ValidationCase one;
    one.where = yaml_.where(node);
    one.class_name = one.family = "headline";
    if (!cases_.read(node, {"id", "case", "system", "lnc", "set", "run"}, one)) {
      return;
    }
    if (node["case"]) {
      read_reference(node, one);
    }
    cases_.check(node, {"id", "system", "run"}, one);
    for (const ValidationCase& other : file_.headlines) {
      if (other.id == one.id) {
        yaml_.find(node, fmt::format("id '{}' is given twice", one.id));
      }
    }
    read_keys(node, one);
    file_.headlines.push_back(std::move(one));
  }

  // What runs, and on what, is that of a case of the validation files.
  void read_reference(const YAML::Node& node, ValidationCase& one) {
    std::string id;
    yaml_.text(node, "case", id);
    if (node["run"] || node["system"]) {
      yaml_.find(node, "'case' already says what runs", "leave out run and system");
    }
    std::vector<std::string> ids;
    for (const ValidationFile& file : files_) {
      for (const ValidationCase& other : file.cases) {
        if (other.id == id) {
          const std::string name = one.id;
          one = other;  // its place too: files are looked for beside the validation file
          one.id = name;
          return;
        }
        ids.push_back(other.id);
      }
    }
    yaml_.find(node["case"], fmt::format("no validation file has case '{}'", id),
               did_you_mean(id, ids));
    one.system = one.system.empty() ? "-" : one.system;
    one.run.kind = one.run.kind == RunKind::kNone ? RunKind::kTrace : one.run.kind;
  }

  void read_keys(const YAML::Node& node, const ValidationCase& one) {
    if (one.system.empty() || one.system == "-") {
      return;
    }
    try {
      for (const spec::Provenance& leaf : spec::load_system(one.system, one.set).leaves) {
        keys_.insert(leaf.path);
      }
    } catch (const Error& error) {
      yaml_.find(node["system"] ? node["system"] : node, error.findings().front().what,
                 error.findings().front().hint);
    }
  }

  void read_assumption(const YAML::Node& node) {
    Assumption one;
    one.where = yaml_.where(node);
    if (!yaml_.check_map(node, {"row", "keys", "low", "high", "reason", "headlines"})) {
      return;
    }
    for (const char* key : {"row", "reason"}) {
      if (!node[key]) {
        yaml_.find(node, fmt::format("'{}' is missing", key));
      }
    }
    yaml_.text(node, "row", one.row);
    yaml_.text(node, "reason", one.reason);
    yaml_.texts(node, "keys", one.keys);
    yaml_.texts(node, "headlines", one.only);
    for (const YAML::Node& id : yaml_.list(node, "headlines")) {
      check_headline(id);
    }
    for (const YAML::Node& key : yaml_.list(node, "keys")) {
      if (key.IsScalar() && !keys_.contains(key.Scalar())) {
        yaml_.find(key, fmt::format("no system of a headline has key '{}'", key.Scalar()),
                   did_you_mean(key.Scalar(), {keys_.begin(), keys_.end()}));
      }
    }
    if (one.keys.empty() && (node["low"] || node["high"])) {
      yaml_.find(node, "'keys' is missing", "a range moves keys; without them leave out low and high");
    }
    if (!one.keys.empty()) {
      read_end(node, "low", one.low);
      read_end(node, "high", one.high);
    }
    file_.assumptions.push_back(std::move(one));
  }

  void check_headline(const YAML::Node& id) {
    std::vector<std::string> ids;
    for (const ValidationCase& headline : file_.headlines) {
      ids.push_back(headline.id);
    }
    const std::string text = id.IsScalar() ? id.Scalar() : "";
    if (std::find(ids.begin(), ids.end(), text) == ids.end()) {
      yaml_.find(id, fmt::format("no headline is called '{}'", text), did_you_mean(text, ids));
    }
  }

  void read_end(const YAML::Node& node, const char* key, RangeEnd& end) {
    if (!node[key]) {
      yaml_.find(node, fmt::format("'{}' is missing", key));
      return;
    }
    std::string text = node[key].IsScalar() ? node[key].Scalar() : "";
    end.percent = text.ends_with('%');
    text = end.percent ? text.substr(0, text.find_last_not_of(" %") + 1) : text;
    const char* const from = text.data() + (text.starts_with('+') ? 1 : 0);
    const char* const to = text.data() + text.size();
    const auto [last, code] = std::from_chars(from, to, end.value);
    if (text.empty() || code != std::errc{} || last != to) {
      yaml_.find(node[key], fmt::format("'{}' must be a number or a change such as -25 %", key));
    }
  }

  YamlReader yaml_;
  CaseReader cases_;
  const std::vector<ValidationFile>& files_;
  SensitivityFile file_;
  std::set<std::string> keys_;  // of all systems of headlines
};

}  // namespace

SensitivityFile read_sensitivity_file(const std::string& path,
                                      const std::vector<ValidationFile>& files) {
  return Reader(path, files).read();
}

std::string shipped_sensitivity_file() { return (data_folder() / kSensitivityName).string(); }

}  // namespace trnsim::study
