// Networks under test: round numbers, a client that writes down what arrives, a fixture that sends.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "network/network_if.h"
#include "support/fake_agenda.h"
#include "support/systems.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::test {

// trn2.48xlarge with ranks of two cores: link 128 GB/s, DMA channel 2 x 8 x 16 = 256 GB/s, HBM stack
// 512 GB/s, die to die 1,000 GB/s; a reduced byte takes the channel twice as long.
inline spec::SystemSpec round_trn2() {
  spec::SystemSpec system = pinned_trn2("trn2.48xlarge");
  system.chip.core.dma.stream_GBps_per_engine = 16;
  system.fabric.collective_dma_engines_per_core = 8;
  system.fabric.collective_reduce_rate = 0.5;
  system.fabric.packet_bytes = 4096;
  system.fabric.credit_bytes = 65536;
  system.chip.hbm.peak_GBps_per_stack = 512;
  system.chip.hbm.sustained_fraction = 1;
  for (spec::LinkClassSpec& link : system.fabric.link_classes) {
    link.GBps_per_direction_per_link = 128;
    link.hop_latency_ns = 500;
    link.efficiency = 1;
  }
  return system;
}

class Arrivals final : public models::NetworkClient {
 public:
  void on_moved(Femtos now, std::uint64_t token) override {
    list.emplace_back(token, now.ns());
    if (then) {
      then(now, token);
    }
  }

  std::vector<std::pair<std::uint64_t, double>> list;  // token, ns
  std::function<void(Femtos, std::uint64_t)> then;
};

// Sends movements at a time, in phase issue.
class Sender final : public models::Wakeable {
 public:
  Sender(FakeAgenda& agenda, models::NetworkIf& network, models::NetworkClient& client)
      : agenda_(agenda), network_(network), client_(client) {}

  void at(Femtos when, std::vector<std::pair<std::uint64_t, fabric::Movement>> movements) {
    batches_.emplace_back(when, std::move(movements));
    agenda_.at(when, models::Phase::kIssue, 1000, this);
  }
  void wake(Femtos now, models::Phase /*phase*/) override {
    for (auto& [when, movements] : batches_) {
      for (const auto& [token, movement] : movements) {
        if (when == now) {
          network_.send(now, movement, token, &client_);
        }
      }
      if (when == now) {
        movements.clear();
      }
    }
  }

 private:
  FakeAgenda& agenda_;
  models::NetworkIf& network_;
  models::NetworkClient& client_;
  std::vector<std::pair<Femtos, std::vector<std::pair<std::uint64_t, fabric::Movement>>>> batches_;
};

}  // namespace trnsim::test
