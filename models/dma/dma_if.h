// Interfaces between sequencers, DMA queues, DMA engines and HBM.
#pragma once

#include <cstdint>

#include <systemc>

#include "trnsim/base/units.h"

namespace trnsim::models {

// What a sequencer asks of the DMA subsystem of its core.
class DmaTriggerIf : virtual public sc_core::sc_interface {
 public:
  // Request `dma` of the core's Program; its trigger instruction ends at `triggered` (>= now).
  virtual void trigger(Femtos now, Femtos triggered, std::uint32_t dma) = 0;
  // Requests of a queue that are triggered and not complete.
  [[nodiscard]] virtual std::uint32_t outstanding(std::uint32_t queue) const = 0;
};

// One DMA engine's part of one request.
class TransferClient {
 public:
  virtual void on_transfer_done(Femtos now, std::uint32_t token) = 0;

 protected:
  ~TransferClient() = default;
};

struct Transfer {
  std::uint64_t bytes = 0;             // left to move
  double engine_GBps = 0;              // of this engine alone on these descriptors
  std::uint32_t queue = 0;
  std::uint32_t token = 0;             // handed back to the client
  TransferClient* client = nullptr;
  double hbm_bytes_per_byte = 0;       // 0 = on chip only, 2 = HBM to HBM
  double hbm_write_share = 0;          // of those bytes: 0 = load, 1 = store
  std::uint64_t hbm_address = 0;       // of the next byte, within the stack
  std::uint64_t run_bytes = 0;         // contiguous bytes before the next row
  std::uint64_t row_stride_bytes = 0;
  std::uint64_t row_offset = 0;        // bytes already done in the current row
};

class DmaEngineIf : virtual public sc_core::sc_interface {
 public:
  virtual void submit(Femtos now, const Transfer& transfer) = 0;
};

// A stack of HBM as a DMA engine sees it.
class HbmClient {
 public:
  virtual void on_hbm_done(Femtos now) = 0;

 protected:
  ~HbmClient() = default;
};

struct HbmAccess {
  Femtos issued{0};                    // when its requests reached HBM: an engine has several in flight
  std::uint64_t bytes = 0;             // payload of the DMA engine
  double engine_GBps = 0;              // upper bound of the payload rate
  double hbm_bytes_per_byte = 1;
  double write_share = 0;              // of the HBM bytes: 0 = read, 1 = write, between = both
  std::uint64_t address = 0;
  std::uint64_t run_bytes = 0;
  std::uint64_t row_stride_bytes = 0;
  std::uint64_t row_offset = 0;
};

class HbmPortIf : virtual public sc_core::sc_interface {
 public:
  using Handle = std::uint32_t;
  // Starts an access; the client is called when it is done. One access per client at a time.
  virtual Handle begin(Femtos now, const HbmAccess& access, HbmClient* client) = 0;
  // Ends the access early, at the next multiple of `packet_bytes` of payload; returns the payload bytes
  // cut off (0 if it ends before that anyway).
  virtual std::uint64_t shorten(Femtos now, Handle handle, std::uint64_t packet_bytes) = 0;
  // Largest access worth starting at once, given how this model arbitrates.
  [[nodiscard]] virtual std::uint64_t max_access_bytes() const = 0;
};

}  // namespace trnsim::models
