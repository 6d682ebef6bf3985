// Where the shipped validation files are.
#pragma once

#include <filesystem>

namespace trnsim::study {

inline constexpr const char* kSensitivityName = "sensitivity.yaml";

// data/validation: beside the configuration, beside the installed program, or in the sources.
[[nodiscard]] std::filesystem::path data_folder();

}  // namespace trnsim::study
