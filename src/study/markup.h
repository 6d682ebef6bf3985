// What the reports share: text made fit for its page, and the rows that several of them print.
#pragma once

#include <string>
#include <vector>

#include "trnsim/study/validation_report.h"

namespace trnsim::study {

// A Markdown table cell: a text must not end its column.
[[nodiscard]] std::string cell(std::string text);
// HTML text.
[[nodiscard]] std::string escaped(const std::string& text);
// Words behind `margin`, broken before column 80.
[[nodiscard]] std::string wrapped(const std::string& margin, std::string text);

// Replayed profiles, of one class or of all ("").
[[nodiscard]] std::vector<const CaseResult*> profile_results(const Validation& validation,
                                                             const std::string& class_name);

// "3.2 % (Vector)" and "1.0 % (Scalar ACTIVATE)" of a replayed profile; "" without engines or opcodes.
[[nodiscard]] std::string worst_engine_text(const ProfileFit& fit);
[[nodiscard]] std::string worst_opcode_text(const ProfileFit& fit);

// A measurement that is not compared.
struct Apart {
  std::string ids;
  std::string state;  // failed, skipped, not rebuilt
  std::string reason;
};
[[nodiscard]] std::vector<Apart> apart_rows(const Validation& validation);

}  // namespace trnsim::study
