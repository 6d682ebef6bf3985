// The flow model of the network against the packet model: times by which whole patterns are done.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "network/packet_transport.h"
#include "support/systems.h"
#include "trnsim/fabric/flow_set.h"

namespace trnsim::models {
namespace {

using Movements = std::vector<fabric::Movement>;

double flow_us(const fabric::NetworkPlan& plan, const Movements& movements) {
  fabric::FlowSet flows(plan);
  for (const fabric::Movement& movement : movements) {
    flows.add(Femtos{0}, plan.uses(movement), movement.bytes);
  }
  Femtos now{0};
  for (flows.settle(now); flows.active() > 0; flows.settle(now)) {
    now = flows.next_completion();
    flows.take_completed(now);
  }
  return now.us();
}

// Also checks that every movement arrives once and every byte is counted where it passes.
double packet_us(const fabric::NetworkPlan& plan, const Movements& movements,
                 std::uint32_t packet_bytes = 4096) {
  PacketTransport::Options options;
  options.packet_bytes = packet_bytes;
  PacketTransport transport(plan, options);
  std::vector<double> bytes(plan.resources().size(), 0);
  for (std::size_t i = 0; i < movements.size(); ++i) {
    transport.add(movements[i], i);
    for (const fabric::Use& use : plan.uses(movements[i])) {
      bytes[use.resource] += use.multiplicity * static_cast<double>(movements[i].bytes);
    }
  }
  std::vector<int> arrived(movements.size(), 0);
  Femtos now{0};
  for (transport.start(now); transport.next_event() != kNever;) {
    now = transport.next_event();
    for (const std::uint64_t tag : transport.advance(now)) {
      ++arrived[tag];
    }
  }
  EXPECT_TRUE(std::all_of(arrived.begin(), arrived.end(), [](int times) { return times == 1; }));
  double counted = 0;
  for (std::uint32_t i = 0; i < bytes.size(); ++i) {
    const fabric::ResourceLoad load = transport.load(i, now);
    counted += load.bytes;
    EXPECT_LE(load.busy, now);
    EXPECT_NEAR(load.busy.ns(), load.bytes / plan.resources()[i].GBps, 1e-3 * (1 + now.us()));
  }
  EXPECT_NEAR(counted / std::accumulate(bytes.begin(), bytes.end(), 0.0), 1, 0.002);
  return now.us();
}

struct Case {
  explicit Case(const std::string& name, std::uint32_t cores_per_rank = 8)
      : plan(test::shipped(name).spec,
             fabric::make_ranks(test::shipped(name).spec, cores_per_rank)),
        ranks(static_cast<std::uint32_t>(plan.ranks().ranks.size())) {}

  [[nodiscard]] Movements all_to_all(std::uint64_t bytes) const {
    Movements movements;
    for (std::uint32_t from = 0; from < ranks; ++from) {
      for (std::uint32_t to = 0; to < ranks; ++to) {
        if (from != to) {
          movements.push_back({.from = from, .to = to, .bytes = bytes});
        }
      }
    }
    return movements;
  }
  // `rounds` permutations; no rank sends to itself.
  [[nodiscard]] Movements permutations(std::uint64_t bytes, std::uint32_t rounds) {
    Movements movements;
    std::vector<std::uint32_t> to(ranks);
    for (std::uint32_t round = 0; round < rounds; ++round) {
      std::iota(to.begin(), to.end(), 0U);
      for (std::uint32_t i = ranks - 1; i > 0; --i) {
        std::swap(to[i], to[random(i + 1)]);
      }
      for (std::uint32_t from = 0; from < ranks; ++from) {
        if (to[from] != from) {
          movements.push_back({.from = from, .to = to[from], .bytes = bytes});
        }
      }
    }
    return movements;
  }
  [[nodiscard]] std::uint32_t random(std::uint32_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>((state >> 33) % below);
  }
  // Packet model over flow model, less one. Store and forward of the last packet is in it, so short
  // messages need the links' own packets of 256 bytes.
  [[nodiscard]] double error(const Movements& movements, std::uint32_t packet_bytes = 4096) const {
    return packet_us(plan, movements, packet_bytes) / flow_us(plan, movements) - 1;
  }

  fabric::NetworkPlan plan;
  std::uint32_t ranks;
  std::uint64_t state = 1;
};

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint32_t kPayload = 256;  // hardware.md 16.4

TEST(NetworkModels, AgreeOnUniformAllToAll) {
  const Case torus("trn2.48xlarge");
  EXPECT_NEAR(torus.error(torus.all_to_all(1024 * kKiB)), 0, 0.01);
  EXPECT_NEAR(torus.error(torus.all_to_all(256 * kKiB), kPayload), 0, 0.01);
  EXPECT_NEAR(torus.error(torus.all_to_all(16 * kKiB), kPayload), 0, 0.12);
}

TEST(NetworkModels, AgreeOnRandomPermutations) {
  Case torus("trn2.48xlarge");
  for (const std::uint32_t rounds : {1U, 1U, 1U, 4U, 16U}) {
    EXPECT_NEAR(torus.error(torus.permutations(1024 * kKiB, rounds)), 0, 0.01);
    EXPECT_NEAR(torus.error(torus.permutations(256 * kKiB, rounds), kPayload), 0, 0.01);
    EXPECT_NEAR(torus.error(torus.permutations(16 * kKiB, rounds), kPayload), 0, 0.12);
  }
}

TEST(NetworkModels, AgreeOnIrregularSizes) {
  Case torus("trn2.48xlarge");
  for (int repeat = 0; repeat < 3; ++repeat) {
    Movements movements = torus.all_to_all(0);
    for (fabric::Movement& movement : movements) {
      movement.bytes = 1 + torus.random(1024 * kKiB);
    }
    EXPECT_NEAR(torus.error(movements), 0, 0.01);
  }
}

TEST(NetworkModels, AgreeOnRanksThatShareAChip) {
  // Copies and sums, also on one chip and within a rank: memory and channels are bottlenecks too.
  Case torus("trn2.48xlarge", 2);
  Movements movements;
  for (std::uint32_t i = 0; i < 600; ++i) {
    fabric::Movement movement{.from = torus.random(64), .to = torus.random(64)};
    movement.bytes = 1 + torus.random(1024 * kKiB);
    movement.reduce = torus.random(2) == 0;
    movements.push_back(movement);
  }
  EXPECT_NEAR(torus.error(movements), 0, 0.01);
}

TEST(NetworkModels, AgreeOnAnUltraserver) {
  const Case torus("trn2-ultraserver");
  EXPECT_NEAR(torus.error(torus.all_to_all(256 * kKiB)), 0, 0.01);
  EXPECT_NEAR(torus.error(torus.all_to_all(16 * kKiB)), 0, 0.12);
}

TEST(NetworkModels, AgreeOnSwitches) {
  const Case switched("trn3-ultraserver-gen1");
  EXPECT_NEAR(switched.error(switched.all_to_all(64 * kKiB)), 0, 0.01);
}

}  // namespace
}  // namespace trnsim::models
