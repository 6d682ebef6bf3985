// The `operands` text of a profiler row.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trnsim/base/dtype.h"

namespace trnsim::trace {

// "S[5] (Tensor)>=4".
struct SemaphoreWait {
  std::uint32_t number = 0;
  std::string owner;                  // engine or DMA queue that raises it
  std::uint64_t value = 0;
};

// "bfloat16@0x37afe[-1,0,-32][32,1,4]": element (i, j, ...) at address + size x (i stride0 + ...).
struct AddressPattern {
  std::optional<DType> dtype;         // absent where the text has none
  std::uint64_t address = 0;
  std::vector<std::int64_t> strides;  // in elements, innermost first
  std::vector<std::uint32_t> counts;
};

struct OperandText {
  std::vector<SemaphoreWait> waits;                 // of the kernel's semaphores
  std::vector<std::uint32_t> raises;                // semaphore numbers of "S[n] (owner)++@complete"
  std::vector<std::string> words;                   // bare ones: "EXP", "128*128"
  std::map<std::string, std::string> values;        // key=value

  [[nodiscard]] const std::string* find(const std::string& key) const;
  // Throws Error (no location) if there is none.
  [[nodiscard]] const std::string& at(const std::string& key) const;
};

// Throws Error (no location) for a text that breaks the grammar.
[[nodiscard]] OperandText parse_operands(std::string_view text);
[[nodiscard]] AddressPattern parse_address_pattern(std::string_view text);
// "[strides][counts]", innermost first.
void parse_strides_and_counts(std::string_view text, std::vector<std::int64_t>& strides,
                              std::vector<std::uint32_t>& counts);
// Decimal or 0x hexadecimal.
[[nodiscard]] std::uint64_t parse_unsigned(std::string_view text);

}  // namespace trnsim::trace
