// Banked HBM stack as a clock-free core: channels, banks with open rows, bus turnaround, refresh
// (hardware.md 11 and 22: nothing of this is published, JEDEC-like presets).
//
// Addresses are spread over the channels in interleave units, and inside a channel rows over the banks,
// both shifted by the higher address digits. Requests are served in arrival order per channel; activates
// overlap transfers on other banks.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/base/units.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::models {

class BankedTiming {
 public:
  explicit BankedTiming(const spec::HbmSpec& spec);

  // Serves [address, address + bytes) from `now`; returns when the last byte has crossed its bus.
  [[nodiscard]] Femtos serve(Femtos now, std::uint64_t address, std::uint64_t bytes, bool write);

  [[nodiscard]] std::uint64_t row_hits() const { return row_hits_; }
  [[nodiscard]] std::uint64_t row_misses() const { return row_misses_; }

 private:
  struct Bank {
    std::uint64_t open_row = UINT64_MAX;
    Femtos activated{0};
    Femtos ready{0};      // row may be accessed
  };
  struct Channel {
    Femtos bus_free{0};
    bool last_write = false;
    std::vector<Bank> banks;
  };

  // Serves at most one interleave unit on its channel.
  Femtos serve_unit(Femtos now, Channel& channel, std::uint64_t channel_address,
                    std::uint64_t bytes, bool write);
  [[nodiscard]] Femtos after_refresh(Femtos at) const;

  const spec::HbmSpec& spec_;
  double channel_GBps_;
  std::vector<Channel> channels_;
  std::uint64_t row_hits_ = 0;
  std::uint64_t row_misses_ = 0;
};

}  // namespace trnsim::models
