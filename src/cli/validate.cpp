// trnsim validate: every measured case that can be rebuilt, simulated and compared.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "commands.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/study/calibrate.h"
#include "trnsim/study/validation_report.h"

namespace trnsim::cli {
namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void on_validate_interrupt(int /*signal*/) { stop_requested = 1; }

struct Flags {
  std::vector<std::string> files;
  std::vector<std::string> classes;
  std::vector<std::string> families;
  std::vector<std::string> ids;
  std::string nki_library;
  std::string nki_samples;
  std::vector<std::string> checkouts;
  std::string traces;
  std::string system;
  std::vector<std::string> overrides;
  std::string tolerances;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string json;
  std::string csv;
  std::string html;
  std::string markdown;
  std::string calibrate;
  std::string assumptions;
  bool sensitivity = false;
  bool list = false;
  bool quiet = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("files", flags.files, "validation files; default: all of data/validation");
  app.add_option("--class", flags.classes, "only this class (repeatable)")->allow_extra_args(false);
  app.add_option("--family", flags.families, "only this family (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--id", flags.ids, "only this case (repeatable)")->allow_extra_args(false);
  app.add_option("--nki-library", flags.nki_library, "checkout of aws-neuron/nki-library");
  app.add_option("--nki-samples", flags.nki_samples, "checkout of aws-neuron/nki-samples");
  app.add_option("--checkout", flags.checkouts, "any other folder cases name: NAME=FOLDER")
      ->allow_extra_args(false);
  app.add_option("--traces", flags.traces, "keep traces in this folder and use them again");
  app.add_option("--system", flags.system, "run every case on this system instead of its own");
  app.add_option("--set", flags.overrides, "override one value in every case")
      ->allow_extra_args(false);
  app.add_option("--tolerances", flags.tolerances, "validation file whose tolerances count instead");
  app.add_option("-j,--jobs", flags.jobs, "simulations at a time; default: one per processor")
      ->check(CLI::Range(1U, 1024U));
  app.add_option("--json", flags.json, "write everything, - for standard output");
  app.add_option("--csv", flags.csv, "write one line per case, - for standard output");
  app.add_option("--html", flags.html, "write a page with a scatter plot");
  app.add_option("--markdown", flags.markdown, "write the page docs/accuracy.md");
  app.add_option("--calibrate", flags.calibrate,
                 "fit the keys that the files declare; write a system file with them");
  app.add_flag("--sensitivity", flags.sensitivity,
               "move assumed values over their ranges, too: part of every output");
  app.add_option("--assumptions", flags.assumptions,
                 "headlines and ranges; default: data/validation/sensitivity.yaml");
  app.add_flag("--list", flags.list, "list the cases and run nothing");
  app.add_flag("-q,--quiet", flags.quiet, "no report on standard output");
}

// Every name of a filter must exist: a typo would silently compare nothing.
bool kept(const std::string& value, const std::vector<std::string>& filter) {
  return filter.empty() || std::find(filter.begin(), filter.end(), value) != filter.end();
}

void check_filter(const char* option, const std::vector<std::string>& filter,
                  const std::vector<std::string>& names) {
  for (const std::string& name : filter) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(fmt::format("{} {}: no case has it", option, name), {}, did_you_mean(name, names));
    }
  }
}

std::vector<const study::ValidationCase*> chosen(const std::vector<study::ValidationFile>& files,
                                                 const Flags& flags) {
  std::vector<const study::ValidationCase*> cases;
  std::vector<std::string> classes;
  std::vector<std::string> families;
  std::vector<std::string> ids;
  for (const study::ValidationFile& file : files) {
    for (const study::ValidationCase& one : file.cases) {
      classes.push_back(one.class_name);
      families.push_back(one.family);
      ids.push_back(one.id);
      if (kept(one.class_name, flags.classes) && kept(one.family, flags.families) &&
          kept(one.id, flags.ids)) {
        cases.push_back(&one);
      }
    }
  }
  check_filter("--class", flags.classes, classes);
  check_filter("--family", flags.families, families);
  check_filter("--id", flags.ids, ids);
  return cases;
}

study::RunSettings settings_of(const Flags& flags) {
  study::RunSettings settings;
  settings.program = fs::read_symlink("/proc/self/exe").string();
  settings.nki_program = study::nki_program();
  settings.system = flags.system;
  settings.set = flags.overrides;
  settings.jobs = flags.jobs;
  settings.trace_folder = flags.traces;
  settings.stop = &stop_requested;
  const auto add = [&](const std::string& name, const std::string& folder) {
    if (folder.empty()) {
      return;
    }
    if (!fs::is_directory(folder)) {
      throw Error("is no folder", {folder});
    }
    settings.checkouts[name] = fs::absolute(folder).string();
  };
  add("nki-library", flags.nki_library);
  add("nki-samples", flags.nki_samples);
  for (const std::string& text : flags.checkouts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      throw Error(fmt::format("--checkout {}: is not NAME=FOLDER", text));
    }
    add(text.substr(0, equals), text.substr(equals + 1));
  }
  if (::isatty(STDERR_FILENO) != 0) {
    settings.progress = [](std::size_t done, std::size_t total, const study::CaseResult& last) {
      std::cerr << fmt::format("\r{}/{} {:<40}{}", done, total, last.one->id,
                               done == total ? "\r\x1b[K" : "");
    };
  }
  return settings;
}

void print_list(const std::vector<const study::ValidationCase*>& cases) {
  std::cout << fmt::format("{:<14} {:<20} {:<24} {:>5} {:>12}\n", "case", "class", "family", "grade",
                           "measured us");
  for (const study::ValidationCase* one : cases) {
    std::cout << fmt::format("{:<14} {:<20} {:<24} {:>5} {:>12.2f}\n", one->id, one->class_name,
                             one->family, one->grade, one->measured.time_us);
  }
}

// Asked for, or the whole of docs/accuracy.md is written.
bool wants_sensitivity(const Flags& flags) {
  const bool everything = flags.files.empty() && flags.classes.empty() && flags.families.empty() &&
                          flags.ids.empty() && !flags.list && flags.calibrate.empty();
  return flags.sensitivity || !flags.assumptions.empty() || (everything && !flags.markdown.empty());
}

// notes.md beside the first file, if there is one.
std::string notes_of(const std::vector<study::ValidationFile>& files) {
  const fs::path path = fs::path(files.front().path).parent_path() / "notes.md";
  return fs::exists(path) ? read_file(path.string()) : "";
}

void write_outputs(const study::Validation& validation, const Flags& flags) {
  if (!flags.quiet && flags.json != "-" && flags.csv != "-") {
    std::cout << study::validation_text(validation);
  }
  const auto write = [](const std::string& path, const auto& make) {
    if (!path.empty()) {
      write_file_atomically(path, [&](std::ostream& out) { make(out); });
    }
  };
  write(flags.json, [&](std::ostream& out) {
    out << study::validation_json(validation).dump(2) << '\n';
  });
  write(flags.csv, [&](std::ostream& out) { study::validation_csv(validation, out); });
  write(flags.html, [&](std::ostream& out) { out << study::validation_html(validation); });
  write(flags.markdown, [&](std::ostream& out) {
    out << study::validation_markdown(validation, notes_of(validation.files));
  });
}

// The one system that the cases run on.
std::string system_of(const std::vector<const study::ValidationCase*>& cases, const Flags& flags) {
  if (!flags.system.empty()) {
    return flags.system;
  }
  for (const study::ValidationCase* one : cases) {
    if (one->system != cases.front()->system) {
      throw Error(fmt::format("--calibrate: cases of several systems, {} and {}",
                              cases.front()->system, one->system),
                  {}, "choose some with --class, --family or --id, or give --system");
    }
  }
  return cases.front()->system;
}

void calibrate(const std::vector<study::ValidationFile>& files,
               const std::vector<const study::ValidationCase*>& cases, study::CaseRunner& runner,
               const Flags& flags) {
  const std::string system = system_of(cases, flags);
  std::vector<study::CalibrationKey> keys;
  for (const study::ValidationFile& file : files) {
    // Of files whose cases were filtered away, keys would be searched for nothing.
    if (std::any_of(cases.begin(), cases.end(), [&](const study::ValidationCase* one) {
          return one->where.file == file.path;
        })) {
      keys.insert(keys.end(), file.calibrate.begin(), file.calibrate.end());
    }
  }
  const study::Calibration calibration = study::calibrate(
      keys, study::key_values(keys, system, flags.overrides),
      [&](const std::vector<double>& values) {
        std::vector<study::CaseResult> results =
            runner.run(cases, study::assignments(keys, values));
        if (stop_requested != 0) {
          throw sim::Interrupted();
        }
        return results;
      });
  if (!flags.quiet && flags.calibrate != "-") {
    std::cout << study::calibration_text(calibration);
  }
  write_file_atomically(flags.calibrate, [&](std::ostream& out) {
    study::write_calibration(calibration, system, out);
  });
}

}  // namespace

int validate_command(const Arguments& arguments) {
  CLI::App app{"Simulates published measurements and says how far off the model is.", "validate"};
  app.footer("Example: trnsim validate --class trn3-gemm --html accuracy.html\n"
             "Exit code 1: a class is outside its tolerances.");
  Flags flags;
  declare(app, flags);
  if (!parse(app, arguments)) {
    return 0;
  }
  for (const std::string& path : {flags.json, flags.csv, flags.html, flags.markdown, flags.calibrate}) {
    if (!path.empty()) {
      check_writable(path);
    }
  }
  study::Validation validation;
  validation.files = study::read_validation_files(
      flags.files.empty() ? study::shipped_validation_files() : flags.files);
  std::vector<study::ClassTolerance> tolerances;
  if (!flags.tolerances.empty()) {
    tolerances = study::read_validation_file(flags.tolerances).tolerances;
  }
  const std::vector<const study::ValidationCase*> cases = chosen(validation.files, flags);
  if (flags.list) {
    print_list(cases);
    return 0;
  }
  std::optional<study::SensitivityFile> sensitivity;
  if (wants_sensitivity(flags)) {
    // The shipped headlines are cases of the shipped files, whatever files are given.
    sensitivity = flags.assumptions.empty()
                      ? study::read_sensitivity_file(
                            study::shipped_sensitivity_file(),
                            study::read_validation_files(study::shipped_validation_files()))
                      : study::read_sensitivity_file(flags.assumptions, validation.files);
  }
  if (cases.empty()) {
    throw Error("there are no cases", {}, "see 'trnsim validate --list'");
  }
  if (!flags.system.empty()) {
    validation.overrides.push_back("--system " + flags.system);
  }
  for (const std::string& text : flags.overrides) {
    validation.overrides.push_back("--set " + text);
  }
  std::signal(SIGINT, on_validate_interrupt);
  std::signal(SIGTERM, on_validate_interrupt);
  study::CaseRunner runner(settings_of(flags));
  if (!flags.calibrate.empty()) {
    calibrate(validation.files, cases, runner, flags);
    return 0;
  }
  validation.results = runner.run(cases);
  if (sensitivity) {
    validation.sensitivity = study::measure_sensitivity(std::move(*sensitivity), runner);
  }
  if (stop_requested != 0) {
    throw sim::Interrupted();
  }
  study::assess(validation, tolerances);
  write_outputs(validation, flags);
  return validation.within() ? 0 : 1;
}

}  // namespace trnsim::cli
