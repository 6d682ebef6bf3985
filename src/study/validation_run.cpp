// A case becomes one or two child processes: trace and `trnsim run --json -`, `compare` or `collective`.
#include "trnsim/study/validation_run.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "child_process.h"
#include "trnsim/base/files.h"
#include "trnsim/spec/generation_name.h"
#include "trnsim/spec/loader.h"

namespace trnsim::study {
namespace fs = std::filesystem;
namespace {

// What of a system a case needs.
struct System {
  spec::LaunchSpec launch;
  std::string target;  // of the NKI front end
};

std::string file_name(const std::string& id) {
  std::string name = id;
  for (char& c : name) {
    c = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ? c : '_';
  }
  return name;
}

// The line that says what went wrong: the program's own, else the last one.
std::string complaint(const std::string& path) {
  std::istringstream lines(read_file(path));
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("trnsim") && line.find(" warning: ") == std::string::npos) {
      return line;
    }
    last = line.empty() ? last : line;
  }
  return last.empty() ? "said nothing" : last;
}

// One case; no other touches its files.
class CaseRun {
 public:
  CaseRun(const ValidationCase& one, const RunSettings& settings, const System& system,
          std::vector<std::string> set, const std::string& folder)
      : one_(one), settings_(settings), system_(system), set_(std::move(set)),
        base_((fs::path(folder) / file_name(one.id)).string()) {}

  CaseResult run() {
    CaseResult result;
    result.one = &one_;
    result.outcome = Outcome::kFailed;
    result.reason = why_skipped();
    if (!result.reason.empty()) {
      result.outcome = Outcome::kSkipped;
      return result;
    }
    try {
      result.reason = prepare();
      if (result.reason.empty()) {
        result.reason = simulate(result);
      }
      result.outcome = result.reason.empty() ? Outcome::kDone : Outcome::kFailed;
    } catch (const std::exception& error) {  // of this case alone, such as a record of another version
      result.reason = error.what();
    }
    return result;
  }

 private:
  [[nodiscard]] const std::string* checkout() const {
    const auto found = settings_.checkouts.find(one_.run.checkout);
    return found == settings_.checkouts.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::string why_skipped() const {
    if (!one_.run.checkout.empty() && one_.run.checkout != "none" && checkout() == nullptr) {
      return fmt::format("no checkout of {} given", one_.run.checkout);
    }
    return "";
  }

  // Beside the validation file if it is there, else in the checkout.
  [[nodiscard]] std::string located(const std::string& path) const {
    const fs::path beside = fs::path(one_.where.file).parent_path() / path;
    if (checkout() == nullptr || fs::exists(beside)) {
      return beside.string();
    }
    return (fs::path(*checkout()) / path).string();
  }

  // Makes the trace, if the case needs one. What went wrong, or "".
  std::string prepare() {
    Command command;
    command.stdout_path = base_ + ".prepare.out";
    command.stderr_path = base_ + ".prepare.err";
    trace_ = base_ + ".trt";
    if (one_.run.kind == RunKind::kNki) {
      nki_command(command);
    } else {
      const bool named = one_.run.kind == RunKind::kKernel || one_.run.kind == RunKind::kCollective;
      trace_ = named ? "" : located(one_.run.target);
      return "";
    }
    const std::string text = to_text(command);
    if (fs::exists(trace_) && fs::exists(base_ + ".command") &&
        read_file(base_ + ".command") == text) {
      return "";
    }
    if (run_child(command) != 0) {
      return complaint(command.stderr_path);
    }
    std::ofstream(base_ + ".command") << text;
    return "";
  }

  void nki_command(Command& command) const {
    const std::string& target = one_.run.target;
    const std::size_t colon = target.rfind(':');
    command.words = {settings_.nki_program, "trace",
                     located(target.substr(0, colon)) + target.substr(colon), "-o", trace_,
                     "--target", system_.target, "--lnc", fmt::format("{}", std::max(1U, one_.lnc))};
    for (const auto& [name, value] : one_.run.arguments) {
      command.words.insert(command.words.end(), {"--arg", name + "=" + value});
    }
    if (!one_.run.grid.empty()) {
      command.words.insert(command.words.end(),
                           {"--grid", fmt::format("{}", fmt::join(one_.run.grid, ","))});
    }
    if (!one_.run.trips.empty()) {
      command.words.insert(command.words.end(),
                           {"--trips", fmt::format("{}", fmt::join(one_.run.trips, ","))});
    }
    std::string python_path;
    for (const std::string& folder : one_.run.python_path) {
      python_path += (python_path.empty() ? "" : ":") + located(folder);
    }
    if (!python_path.empty()) {
      command.environment.push_back("PYTHONPATH=" + python_path);
    }
  }

  // `trnsim run`, `compare` or `collective` of this case.
  [[nodiscard]] std::vector<std::string> simulation() const {
    const RunKind kind = one_.run.kind;
    std::vector<std::string> words{settings_.program};
    const auto add = [&](std::initializer_list<std::string> more) {
      words.insert(words.end(), more);
    };
    add({kind == RunKind::kProfile      ? "compare"
         : kind == RunKind::kCollective ? "collective"
                                        : "run",
         trace_.empty() ? one_.run.target : trace_, "--system",
         settings_.system.empty() ? one_.system : settings_.system, "--json", "-"});
    if (one_.lnc > 0 && kind == RunKind::kCollective) {
      add({"--set", fmt::format("lnc={}", one_.lnc)});
    } else if (one_.lnc > 0 && kind != RunKind::kProfile) {  // a profile is of one core
      add({"--lnc", fmt::format("{}", one_.lnc)});
    }
    for (const std::string& text : set_) {
      add({"--set", text});
    }
    if (kind == RunKind::kKernel || kind == RunKind::kCollective) {
      for (const auto& [name, value] : one_.run.arguments) {
        if (kind == RunKind::kCollective && name == "bytes") {
          add({"--min-bytes", value, "--max-bytes", value});
        } else if (value == "True") {
          add({"--" + name});
        } else if (value != "False") {
          add({"--" + name, value});
        }
      }
    }
    words.insert(words.end(), one_.run.options.begin(), one_.run.options.end());
    return words;
  }

  std::string simulate(CaseResult& result) const {
    Command command;
    command.stdout_path = base_ + ".json";
    command.stderr_path = base_ + ".err";
    command.words = simulation();
    if (run_child(command) != 0) {
      return complaint(command.stderr_path);
    }
    const nlohmann::json record = nlohmann::json::parse(read_file(command.stdout_path));
    switch (one_.run.kind) {
      case RunKind::kProfile:
        read_comparison(record, result);
        break;
      case RunKind::kCollective:
        read_collective(record, result);
        break;
      case RunKind::kGraph:
        read_graph(record, result);
        break;
      default:
        read_record(record, result);
    }
    fs::remove(command.stdout_path);
    return "";
  }

  void read_record(const nlohmann::json& record, CaseResult& result) const {
    result.kernel_us = record.at("time_us").get<double>();
    const double extra = launch_us(one_.measured.clock, system_.launch);
    result.simulated_us = result.kernel_us + extra;
    if (record.contains("bracket")) {
      result.look_ahead_us = record.at("bracket").at("look_ahead_us").get<double>() + extra;
    }
    result.active_us = result.kernel_us + system_.launch.active_us();
    result.hbm_bytes = record.at("hbm").at("read_bytes").get<double>() +
                       record.at("hbm").at("write_bytes").get<double>();
    result.bound = record.at("bound").at("text").get<std::string>();
  }

  // One size; its resource that is busiest for its rate is the bound. No launch on any clock.
  void read_collective(const nlohmann::json& record, CaseResult& result) const {
    const nlohmann::json& point = record.at("points").at(0);
    result.kernel_us = point.at("time_us").get<double>();
    result.simulated_us = result.kernel_us + launch_us(one_.measured.clock, system_.launch);
    result.active_us = result.kernel_us;
    result.bound = fmt::format("{}, {:.0f} % {}", point.at("algorithm").get<std::string>(),
                               100 * point.at("bottleneck_utilization").get<double>(),
                               point.at("bottleneck").get<std::string>());
  }

  void read_graph(const nlohmann::json& record, CaseResult& result) const {
    result.kernel_us = record.at("time_us").get<double>();
    result.simulated_us = result.kernel_us + launch_us(one_.measured.clock, system_.launch);
    result.active_us = result.kernel_us + system_.launch.active_us();
  }

  void read_comparison(const nlohmann::json& record, CaseResult& result) const {
    constexpr double kNsPerUs = 1000;
    ProfileFit& fit = result.profile.emplace();
    fit.measured_span_us = record.at("measured_kernel_span_ns").get<double>() / kNsPerUs;
    fit.simulated_span_us = record.at("simulated_kernel_span_ns").get<double>() / kNsPerUs;
    for (const nlohmann::json& row : record.at("engines")) {
      fit.engines.push_back({row.at("engine").get<std::string>(),
                             row.at("measured_busy_ns").get<double>() / kNsPerUs,
                             row.at("simulated_busy_ns").get<double>() / kNsPerUs});
    }
    for (const nlohmann::json& row : record.at("opcodes")) {
      fit.opcodes.push_back({row.at("engine").get<std::string>(), row.at("opcode").get<std::string>(),
                             row.at("rows").get<std::uint64_t>(),
                             row.at("median_error").get<double>()});
    }
    result.kernel_us = fit.simulated_span_us;
    result.simulated_us = result.kernel_us + launch_us(one_.measured.clock, system_.launch);
    result.active_us = result.kernel_us + system_.launch.active_us();
  }

  const ValidationCase& one_;
  const RunSettings& settings_;
  const System& system_;
  const std::vector<std::string> set_;
  const std::string base_;
  std::string trace_;  // the file that runs; "" = none
};

}  // namespace

double EngineBusy::error() const {
  return measured_us > 0 ? std::abs(simulated_us / measured_us - 1) : 0;
}

const EngineBusy* ProfileFit::worst_engine() const {
  const auto at = std::max_element(engines.begin(), engines.end(),
                                   [](const auto& a, const auto& b) { return a.error() < b.error(); });
  return at == engines.end() ? nullptr : &*at;
}

const OpcodeError* ProfileFit::worst_opcode() const {
  const auto at =
      std::max_element(opcodes.begin(), opcodes.end(), [](const auto& a, const auto& b) {
        return a.median_error < b.median_error;
      });
  return at == opcodes.end() ? nullptr : &*at;
}

std::string nki_program() {
  const fs::path beside =
      fs::path(spec::config_folder()).lexically_normal().parent_path() / "tools" / "trnsim-nki";
  return fs::exists(beside) ? beside.string() : "trnsim-nki";
}

CaseRunner::CaseRunner(RunSettings settings) : settings_(std::move(settings)) {
  if (!settings_.trace_folder.empty()) {
    folder_ = settings_.trace_folder;
    std::error_code code;
    fs::create_directories(folder_, code);
    if (code) {
      throw Error(fmt::format("cannot be made: {}", code.message()), {folder_});
    }
    return;
  }
  std::string pattern = (fs::temp_directory_path() / "trnsim-validate-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw Error("no temporary folder can be made", {pattern});
  }
  folder_ = pattern;
  temporary_ = true;
}

CaseRunner::~CaseRunner() {
  if (temporary_) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
}

std::vector<CaseResult> CaseRunner::run(const std::vector<const ValidationCase*>& cases,
                                        const std::vector<std::string>& extra_set) {
  // Every system once and before any run: an override that does not exist is an error of the user.
  std::map<std::string, System> systems;
  std::vector<const System*> system_of;
  std::vector<std::vector<std::string>> sets;
  for (const ValidationCase* one : cases) {
    std::vector<std::string> set = one->set;
    set.insert(set.end(), settings_.set.begin(), settings_.set.end());
    set.insert(set.end(), extra_set.begin(), extra_set.end());
    const std::string& name = settings_.system.empty() ? one->system : settings_.system;
    const auto [at, fresh] = systems.try_emplace(fmt::format("{} {}", name, fmt::join(set, " ")));
    if (fresh) {
      const spec::LoadedSystem loaded = spec::load_system(name, set);
      at->second = {loaded.spec.launch, std::string(spec::generation_name(loaded.spec.chip.core.generation))};
    }
    system_of.push_back(&at->second);
    sets.push_back(std::move(set));
  }
  std::vector<CaseResult> results(cases.size());
  std::atomic<std::size_t> next{0};
  std::size_t done = 0;
  std::mutex reporting;
  const auto work = [&] {
    for (std::size_t i = next++; i < cases.size(); i = next++) {
      results[i].one = cases[i];
      results[i].reason = "interrupted";
      if (settings_.stop != nullptr && *settings_.stop != 0) {
        continue;
      }
      results[i] = CaseRun(*cases[i], settings_, *system_of[i], sets[i], folder_).run();
      const std::lock_guard lock(reporting);
      ++done;
      if (settings_.progress) {
        settings_.progress(done, cases.size(), results[i]);
      }
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 1; i < settings_.jobs; ++i) {
    workers.emplace_back(work);
  }
  work();
  workers.clear();
  return results;
}

}  // namespace trnsim::study
