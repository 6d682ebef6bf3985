// Measured collectives: what nccom-test prints, or a CSV.
#include <algorithm>
#include <charconv>
#include <cctype>
#include <sstream>

#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/study/collective_sweep.h"

namespace trnsim::study {
namespace {

std::vector<std::string> fields_of(std::string line) {
  const bool csv = line.find(',') != std::string::npos;
  if (csv) {
    std::erase_if(line, [](unsigned char c) { return std::isspace(c) != 0; });
    std::replace(line.begin(), line.end(), ',', ' ');
  }
  std::istringstream in(line);
  std::vector<std::string> fields;
  for (std::string field; in >> field;) {
    fields.push_back(field);
  }
  return fields;
}

// Lower case without units and punctuation: "time(us)" and "time_us" are "time".
std::string plain(const std::string& name) {
  std::string text;
  for (const char c : name.substr(0, name.find('('))) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  for (const char* suffix : {"_us", "_b", "_bytes"}) {
    if (text.ends_with(suffix) && text.size() > std::string(suffix).size()) {
      text.resize(text.size() - std::string(suffix).size());
    }
  }
  return text;
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

double number(const std::string& text, const Location& where) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() ||
      !(value > 0 && value < 1e18)) {  // neither nan nor inf
    throw Error(fmt::format("'{}' is not a number above zero", text), where);
  }
  return value;
}

}  // namespace

std::vector<MeasuredCollective> read_nccom(const std::string& path) {
  std::istringstream in(read_file(path));
  std::vector<MeasuredCollective> rows;
  std::size_t size_column = SIZE_MAX;
  std::size_t time_column = SIZE_MAX;
  std::string line;
  for (int at = 1; std::getline(in, line); ++at) {
    const std::vector<std::string> fields = fields_of(line);
    const bool starts_with_digit =
        !fields.empty() && std::isdigit(static_cast<unsigned char>(fields[0][0])) != 0;
    if (size_column == SIZE_MAX) {
      for (std::size_t f = 0; f < fields.size(); ++f) {
        const std::string name = plain(fields[f]);
        if (is_one_of(name, {"size", "bytes", "bytes_per_rank"}) && size_column == SIZE_MAX) {
          size_column = f;
        } else if (is_one_of(name, {"time", "timeavg", "time_avg", "latency", "nccom_device"}) &&
                   time_column == SIZE_MAX) {
          time_column = f;
        }
      }
      if (size_column != SIZE_MAX && time_column == SIZE_MAX) {
        throw Error("has a column of sizes and none of times",
                    {path, at, 1}, "name it time(us)");
      }
      continue;
    }
    if (!starts_with_digit && size_column == 0) {
      continue;  // a rule or a closing line of the table
    }
    if (fields.size() <= std::max(size_column, time_column)) {
      if (fields.empty()) {
        continue;
      }
      throw Error(fmt::format("{} columns, the header has {}", fields.size(),
                              std::max(size_column, time_column) + 1),
                  {path, at, 1});
    }
    rows.push_back({static_cast<std::uint64_t>(number(fields[size_column], {path, at, 1})),
                    number(fields[time_column], {path, at, 1})});
  }
  if (rows.empty()) {
    throw Error("has no table with sizes and times", {path, 1, 1},
                "columns size(B) and time(us), as nccom-test prints them");
  }
  return rows;
}

}  // namespace trnsim::study
