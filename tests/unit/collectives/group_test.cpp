// Groups: text, shape on the fabric, legality.
#include "helpers.h"

namespace trnsim::collectives {
namespace {

using Ranks = std::vector<std::uint32_t>;

const Machine& trn2() {
  static const Machine machine("trn2.48xlarge", 4);
  return machine;
}

std::string parse_error(const std::string& text) {
  return error_of([&] { static_cast<void>(parse_groups(text, trn2().ranks)); });
}

TEST(ParseGroups, ListsRangesAllAndChips) {
  EXPECT_EQ(trn2().group("3,0-2").ranks, (Ranks{3, 0, 1, 2}));
  EXPECT_EQ(trn2().group("all").size(), 64U);
  EXPECT_EQ(trn2().group("chips:2,5").ranks, (Ranks{8, 9, 10, 11, 20, 21, 22, 23}));
  const auto groups = parse_groups("0,4,8; 1, 5 ,9", trn2().ranks);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[1].ranks, (Ranks{1, 5, 9}));
}

TEST(ParseGroups, SaysWhatIsWrong) {
  const std::string hint =
      "; write 'all', '0-15', '0,4,8;1,5,9' (groups separated by ';') or 'chips:0-3'";
  EXPECT_EQ(parse_error("0,x"), "'x' in replica groups '0,x' is not a number" + hint);
  EXPECT_EQ(parse_error("3-1"), "range '3-1' in replica groups '3-1' counts down" + hint);
  EXPECT_EQ(parse_error("0;;1"), "empty group in replica groups '0;;1'" + hint);
  EXPECT_EQ(parse_error("60-64"),
            "rank 64 in replica groups '60-64' does not exist; ranks are 0 to 63");
  EXPECT_EQ(parse_error("chips:16"),
            "chip 16 in replica groups 'chips:16' does not exist; chips are 0 to 15");
  EXPECT_EQ(parse_error("0-"), "'' in replica groups '0-' is not a number" + hint);
}

Shape shape(const Machine& machine, const std::string& text) {
  return layout(machine.topology, machine.ranks, machine.group(text)).shape;
}

TEST(Layout, ShapesOnTheTorus) {
  EXPECT_EQ(shape(trn2(), "0-3"), Shape::kOneChip);
  EXPECT_EQ(shape(trn2(), "chips:0,3"), Shape::kAdjacentPair);  // round the row
  EXPECT_EQ(shape(trn2(), "chips:0,12"), Shape::kAdjacentPair);
  EXPECT_EQ(shape(trn2(), "chips:0,5"), Shape::kIrregular);
  EXPECT_EQ(shape(trn2(), "chips:0,2"), Shape::kIrregular);
  EXPECT_EQ(shape(trn2(), "chips:4-7"), Shape::kLine);
  EXPECT_EQ(shape(trn2(), "chips:1,5,9,13"), Shape::kLine);
  EXPECT_EQ(shape(trn2(), "chips:0-2"), Shape::kBlock);
  EXPECT_EQ(shape(trn2(), "chips:0,3,12,15"), Shape::kBlock);  // wraps on both axes
  EXPECT_EQ(shape(trn2(), "chips:0,2,8,10"), Shape::kIrregular);
  EXPECT_EQ(shape(trn2(), "all"), Shape::kDomain);
}

TEST(Layout, ShapesElsewhere) {
  const Machine ultra("trn2-ultraserver", 1);
  EXPECT_EQ(shape(ultra, "0,16,32,48"), Shape::kLine);
  EXPECT_EQ(shape(ultra, "0-15"), Shape::kBlock);
  const Machine two("trn2.48xlarge", 1, 2);
  EXPECT_EQ(shape(two, "0-15"), Shape::kDomain);
  EXPECT_EQ(shape(two, "15,16"), Shape::kSeveralDomains);
  const Machine ring("inf2.48xlarge", 1);
  EXPECT_EQ(shape(ring, "10,11,0"), Shape::kBlock);
  EXPECT_EQ(shape(ring, "0,2"), Shape::kIrregular);
  const Machine rack("trn3-ultraserver-gen2", 1);
  EXPECT_EQ(shape(rack, "3,77"), Shape::kBlock);
}

TEST(Layout, RanksOfEachChip) {
  const Layout where = layout(trn2().topology, trn2().ranks, trn2().group("5,1,4,0"));
  EXPECT_EQ(where.per_chip, 2U);
  EXPECT_TRUE(where.same_offsets);
  EXPECT_FALSE(where.whole_chips);
  ASSERT_EQ(where.chips.size(), 2U);
  EXPECT_EQ(where.chips[0].members, (Ranks{3, 1}));  // ranks 0 and 1
  EXPECT_EQ(where.chips[1].members, (Ranks{2, 0}));  // ranks 4 and 5
  const Layout shifted = layout(trn2().topology, trn2().ranks, trn2().group("0,1,5,6"));
  EXPECT_EQ(shifted.per_chip, 2U);
  EXPECT_FALSE(shifted.same_offsets);
  const Layout unequal = layout(trn2().topology, trn2().ranks, trn2().group("0,1,4"));
  EXPECT_EQ(unequal.per_chip, 0U);
}

Legality check(const std::string& text, Op op = Op::kAllReduce) {
  return check_groups(trn2().topology, trn2().ranks, parse_groups(text, trn2().ranks), op);
}

TEST(CheckGroup, LegalShapesAreFast) {
  for (const char* text :
       {"0-3", "0-2", "chips:0,3", "chips:4-7", "chips:0,1,4,5", "all", "0,4,8,12;1,5,9,13"}) {
    EXPECT_TRUE(check(text).fast) << text;
  }
}

TEST(CheckGroup, OtherShapesTakeTheSlowPath) {
  EXPECT_EQ(check("chips:0,5").reason,
            "the group's 2 chips are no adjacent pair, full row or column, or rectangular block");
  EXPECT_EQ(check("0,1,6,7").reason, "the group does not take the same cores of each of its chips");
  EXPECT_EQ(check("0-3;8,13,10,11").reason,
            "the group does not take the same cores of each of its chips");
  EXPECT_FALSE(check("chips:0,5").fast);
  EXPECT_TRUE(check("chips:0,5", Op::kPermute).fast);
}

TEST(CheckGroup, WorldSizesOfAllToAll) {
  for (const char* text : {"0-3", "0-7", "0-15", "0-31", "all"}) {
    EXPECT_TRUE(check(text, Op::kAllToAll).fast) << text;
  }
  EXPECT_EQ(check("0-1", Op::kAllToAll).reason,
            "all-to-all of 2 ranks: 4, 8, 16 or a multiple of 32 are supported");
  EXPECT_FALSE(check("chips:0-11", Op::kAllToAll).fast);  // 48
}

std::string check_error(std::vector<Group> groups) {
  return error_of([&] {
    static_cast<void>(check_groups(trn2().topology, trn2().ranks, groups, Op::kAllReduce));
  });
}

TEST(CheckGroup, ImpossibleGroupsAreErrors) {
  EXPECT_EQ(check_error({}), "a collective needs at least one replica group");
  EXPECT_EQ(check_error({Group{}}), "a collective needs at least one rank");
  EXPECT_EQ(check_error({Group{{0, 1, 0}}}), "rank 0 is in the replica group twice");
  EXPECT_EQ(check_error({Group{{0, 64}}}),
            "rank 64 of the replica group does not exist; ranks are 0 to 63");
  EXPECT_EQ(check_error({Group{{0, 1}}, Group{{2, 3, 4}}}),
            "replica groups of one collective have 2 and 3 ranks; make all groups the same size");
  EXPECT_EQ(check_error({Group{{0, 1}}, Group{{1, 2}}}),
            "rank 1 is in two replica groups of one collective");
}

TEST(Names, RoundTripAndSuggest) {
  for (const Op op : {Op::kAllReduce, Op::kAllGather, Op::kReduceScatter, Op::kAllToAll,
                      Op::kBroadcast, Op::kPermute}) {
    EXPECT_EQ(parse_op(name(op)), op);
  }
  for (int i = 0; i <= static_cast<int>(Algorithm::kDirect); ++i) {
    EXPECT_EQ(parse_algorithm(name(static_cast<Algorithm>(i))), static_cast<Algorithm>(i));
  }
  EXPECT_EQ(error_of([] { static_cast<void>(parse_algorithm("kangarin")); }),
            "unknown collective algorithm 'kangarin'; did you mean 'kangaring'?");
}

}  // namespace
}  // namespace trnsim::collectives
