// Row hits, activates, turnaround and refresh.
#include "banked_timing.h"

#include <algorithm>

namespace trnsim::models {
namespace {

// Which of `ways` an index goes to: each run of `ways` indices visits every way once, and higher address
// digits shift the order, so that streams a power of two apart do not meet in one.
std::uint64_t spread(std::uint64_t index, std::uint64_t ways) {
  std::uint64_t sum = index % ways;
  while (ways > 1 && index >= ways) {
    index /= ways;
    sum += index % ways;
  }
  return sum % ways;
}

}  // namespace

BankedTiming::BankedTiming(const spec::HbmSpec& spec)
    : spec_(spec),
      channel_GBps_(spec.peak_GBps_per_stack / spec.channels),
      channels_(spec.channels) {
  for (Channel& channel : channels_) {
    channel.banks.resize(spec.banks_per_channel);
  }
}

Femtos BankedTiming::after_refresh(Femtos at) const {
  // All banks of a channel refresh together for trfc at each multiple of trefi.
  const Femtos interval = from_ns(spec_.trefi_ns);
  const Femtos duration = from_ns(spec_.trfc_ns);
  const std::uint64_t phase = at.count % interval.count;
  const bool first = at.count < interval.count;  // no refresh at time zero
  return !first && phase < duration.count ? Femtos{at.count - phase + duration.count} : at;
}

Femtos BankedTiming::serve_unit(Femtos now, Channel& channel, std::uint64_t channel_address,
                                std::uint64_t bytes, bool write) {
  const std::uint64_t row_index = channel_address / spec_.row_bytes;
  Bank& bank = channel.banks[spread(row_index, spec_.banks_per_channel)];
  const std::uint64_t row = row_index / spec_.banks_per_channel;
  Femtos ready = max(now, bank.ready);
  if (bank.open_row == row) {
    ++row_hits_;
  } else {
    ++row_misses_;
    Femtos activate = now;
    if (bank.open_row != UINT64_MAX) {
      // The open row closes after its last queued access and no sooner than tras.
      const Femtos precharge =
          max(max(now, bank.ready), bank.activated + from_ns(spec_.tras_ns));
      activate = precharge + from_ns(spec_.trp_ns);
    }
    bank.activated = activate;
    bank.open_row = row;
    ready = bank.activated + from_ns(spec_.trcd_ns);
  }
  Femtos bus = channel.bus_free;
  if (channel.last_write != write) {
    bus += from_ns(spec_.twr_turnaround_ns);
    channel.last_write = write;
  }
  const Femtos start = after_refresh(max(ready, bus));
  const Femtos end = start + transfer_time(static_cast<double>(bytes), channel_GBps_);
  channel.bus_free = end;
  bank.ready = start;
  return end;
}

Femtos BankedTiming::serve(Femtos now, std::uint64_t address, std::uint64_t bytes, bool write) {
  Femtos done = now;
  while (bytes > 0) {
    const std::uint64_t unit = address / spec_.interleave_bytes;
    const std::uint64_t offset = address % spec_.interleave_bytes;
    const std::uint64_t piece = std::min(bytes, spec_.interleave_bytes - offset);
    Channel& channel = channels_[spread(unit, spec_.channels)];
    const std::uint64_t channel_address =
        unit / spec_.channels * spec_.interleave_bytes + offset;
    done = max(done, serve_unit(now, channel, channel_address, piece, write));
    address += piece;
    bytes -= piece;
  }
  return done;
}

}  // namespace trnsim::models
