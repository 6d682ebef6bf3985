// Name tables of the instruction set.
#include "trnsim/trace/opcode.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace trnsim::trace {
namespace {

template <typename Enum, typename Parse>
void expect_names_parse_back(int count, Parse parse) {
  std::set<std::string> seen;
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<Enum>(i);
    EXPECT_EQ(parse(name(value)), value);
    EXPECT_TRUE(seen.insert(std::string(name(value))).second) << name(value);
  }
  EXPECT_FALSE(parse("no_such_name"));
}

TEST(OpcodeNames, ParseBackAndAreUnique) {
  expect_names_parse_back<Opcode>(kOpcodeCount, parse_opcode);
  expect_names_parse_back<Engine>(kEngineCount + 1, parse_engine);
  expect_names_parse_back<Region>(3, parse_region);
  expect_names_parse_back<AluOp>(kAluOpCount, parse_alu_op);
  expect_names_parse_back<ActFunc>(kActFuncCount, parse_act_func);
  expect_names_parse_back<DgeRequest>(4, parse_dge_request);
  expect_names_parse_back<CollectiveKind>(kCollectiveKindCount, parse_collective_kind);
}

TEST(OpcodeClasses, AreDisjoint) {
  for (int i = 0; i < kOpcodeCount; ++i) {
    const auto opcode = static_cast<Opcode>(i);
    EXPECT_LE(int{is_control(opcode)} + int{is_dma(opcode)} + int{is_matmul(opcode)}, 1);
  }
  EXPECT_TRUE(is_control(Opcode::kLoopBegin));
  EXPECT_TRUE(is_control(Opcode::kFence));
  EXPECT_FALSE(is_control(Opcode::kRegisterStore));
  EXPECT_FALSE(is_control(Opcode::kCollective));
}

}  // namespace
}  // namespace trnsim::trace
