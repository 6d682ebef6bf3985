// Short constructors for the key lists in keys_core.cpp and keys_system.cpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "trnsim/spec/descriptor.h"

namespace trnsim::spec {

// Bounds that keep every product with a count far below the femtosecond and byte ranges.
inline constexpr double kMaxNs = 1e9;
inline constexpr double kMaxUs = 1e6;
inline constexpr double kMaxCycles = 1e9;
inline constexpr double kMaxGhz = 100;
inline constexpr double kMaxGBps = 1e6;
inline constexpr double kMaxCount = 1e6;
// Servers x chips x cores fits in 32 bits.
inline constexpr double kMaxServers = 1e4;
inline constexpr double kMaxChips = 1024;
inline constexpr double kMaxCores = 256;
// Clocks in GHz, rates in GB/s and shares: slower ones would take longer than time can count.
inline constexpr double kLeastRate = 0.001;

[[nodiscard]] inline Range from_zero(double max) {
  return {0, max};
}
[[nodiscard]] inline Range from_one(double max) {
  return {1, max};
}
[[nodiscard]] inline Range fraction() {
  return {kLeastRate, 1};
}
[[nodiscard]] inline Range share() {
  return {0, 1};
}
[[nodiscard]] inline Range clock_range() {
  return {kLeastRate, kMaxGhz};
}
[[nodiscard]] inline Range rate_range() {
  return {kLeastRate, kMaxGBps};
}

template <typename Struct, typename Member>
[[nodiscard]] KeyNode key_node(KeyKind kind, Member Struct::*member, std::string key) {
  KeyNode node;
  node.key = std::move(key);
  node.kind = kind;
  node.member = [member](void* parent) -> void* {
    return &(static_cast<Struct*>(parent)->*member);
  };
  return node;
}

template <typename Struct>
[[nodiscard]] KeyNode real(double Struct::*member, std::string key, std::string unit, Range range,
                           std::string doc) {
  KeyNode node = key_node(KeyKind::kReal, member, std::move(key));
  node.unit = std::move(unit);
  node.range = range;
  node.doc = std::move(doc);
  return node;
}

template <typename Struct>
[[nodiscard]] KeyNode count(std::uint32_t Struct::*member, std::string key, std::string unit,
                            Range range, std::string doc) {
  KeyNode node = key_node(KeyKind::kCount, member, std::move(key));
  node.unit = std::move(unit);
  node.range = range;
  node.doc = std::move(doc);
  return node;
}

template <typename Struct>
[[nodiscard]] KeyNode flag(bool Struct::*member, std::string key, std::string doc) {
  KeyNode node = key_node(KeyKind::kFlag, member, std::move(key));
  node.doc = std::move(doc);
  return node;
}

// `choices` in the order of the enum, whose values count from zero.
template <typename Struct, typename Enum>
[[nodiscard]] KeyNode choice(Enum Struct::*member, std::string key,
                             std::vector<std::string> choices, std::string doc) {
  static_assert(sizeof(Enum) == 1);
  KeyNode node = key_node(KeyKind::kChoice, member, std::move(key));
  node.choices = std::move(choices);
  node.doc = std::move(doc);
  return node;
}

template <typename Struct>
[[nodiscard]] KeyNode text(std::string Struct::*member, std::string key, std::string doc) {
  KeyNode node = key_node(KeyKind::kText, member, std::move(key));
  node.doc = std::move(doc);
  node.structural = true;
  return node;
}

template <typename Struct, typename Member>
[[nodiscard]] KeyNode group(Member Struct::*member, std::string key, std::string doc,
                            std::vector<KeyNode> children) {
  KeyNode node = key_node(KeyKind::kGroup, member, std::move(key));
  node.doc = std::move(doc);
  node.children = std::move(children);
  return node;
}

// A vector of structs with a `name`; in YAML a mapping from the name to the other keys.
template <typename Struct, typename Row>
[[nodiscard]] KeyNode table(std::vector<Row> Struct::*member, std::string key, std::string doc,
                            std::vector<KeyNode> children) {
  KeyNode node = key_node(KeyKind::kTable, member, std::move(key));
  node.doc = std::move(doc);
  node.children = std::move(children);
  node.add_row = [](void* rows, const std::string& name) -> void* {
    Row& row = static_cast<std::vector<Row>*>(rows)->emplace_back();
    row.name = name;
    return &row;
  };
  node.rows = [](void* rows) {
    std::vector<std::pair<std::string, void*>> result;
    for (Row& row : *static_cast<std::vector<Row>*>(rows)) {
      result.emplace_back(row.name, &row);
    }
    return result;
  };
  return node;
}

[[nodiscard]] inline KeyNode optional(KeyNode node) {
  node.optional = true;
  return node;
}

[[nodiscard]] inline KeyNode structural(KeyNode node) {
  node.structural = true;
  return node;
}

// This key, or every key of this group, is described but used by no model yet.
[[nodiscard]] inline KeyNode inert(KeyNode node) {
  node.inert = true;
  for (KeyNode& child : node.children) {
    child = inert(std::move(child));
  }
  return node;
}

// keys_core.cpp
[[nodiscard]] std::vector<KeyNode> core_keys();

}  // namespace trnsim::spec
