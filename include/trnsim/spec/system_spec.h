// Parameters of a chip, its HBM, the fabric between chips, and a whole system.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trnsim/spec/core_spec.h"

namespace trnsim::spec {

enum class HbmModel : std::uint8_t { kBandwidth, kBanked };

struct HbmSpec {                            // section 11; one stack
  std::uint32_t stacks = 0;                 // per chip
  double capacity_gib_per_stack = 0;
  double peak_GBps_per_stack = 0;           // reads and writes together
  double sustained_fraction = 0;            // `bandwidth` model: usable share of the peak
  HbmModel model = HbmModel::kBandwidth;
  // `banked` model, per stack:
  std::uint32_t channels = 0;
  std::uint32_t banks_per_channel = 0;
  std::uint32_t row_bytes = 0;              // one open row of one bank
  std::uint32_t interleave_bytes = 0;       // contiguous bytes on one channel
  double trcd_ns = 0;                       // activate to column command
  double trp_ns = 0;                        // precharge
  double tras_ns = 0;                       // activate to precharge
  double twr_turnaround_ns = 0;             // bus turnaround between reads and writes
  double trefi_ns = 0;                      // refresh interval
  double trfc_ns = 0;                       // refresh duration
  double remote_extra_latency_ns = 0;       // another quadrant's stack
};

struct PowerSpec {                          // section 18.2, energy reports only
  double tdp_w = 0;
  double idle_fraction = 0;
};

struct PublishedPeaks {                     // of one chip, TFLOPS as AWS prints them; 0 = not published
  double bf16_tflops = 0;
  double fp8_tflops = 0;
  double fp32_tflops = 0;
  double mx_tflops = 0;
  double sparse_tflops = 0;
  double hbm_TBps = 0;
};

// What engines other than the tensor engine add to the published peaks (section 19.2).
struct PeakCountingSpec {
  double vector_fp32_ops_per_lane_cycle = 0;  // 16 on v2, 8 on v3 and v4
  double scalar_fp32_ops_per_lane_cycle = 0;
  double gpsimd_fp32_ops_per_lane_cycle = 0;
};

struct ChipSpec {
  std::string name;
  std::uint32_t neuron_cores = 0;
  std::uint32_t dies = 0;
  std::uint32_t cores_per_hbm_stack = 0;
  std::uint32_t cc_cores = 0;
  double die_to_die_GBps_per_direction = 0;   // 0 = one die
  double die_to_die_latency_ns = 0;
  CoreSpec core;
  HbmSpec hbm;
  PowerSpec power;
  PublishedPeaks published;
  PeakCountingSpec counting;
};

enum class FabricKind : std::uint8_t { kNone, kRing, kTorus, kSwitched, kCustom };

// One class of links (an axis of a torus, a tier of a switched fabric, a width of a custom one).
struct LinkClassSpec {
  std::string name;
  std::uint32_t extent = 1;                  // chips along a torus axis; chips below a switch tier, racks
  std::uint32_t links_per_chip = 0;          // custom: links of one edge
  double GBps_per_direction_per_link = 0;
  double hop_latency_ns = 0;
  double efficiency = 0;
};

// One wire of a custom fabric, both directions. Chips count from 0, switches follow them.
struct EdgeSpec {
  std::string name;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::string link_class;                    // name of a LinkClassSpec
};

struct FabricSpec {                          // sections 16, 17
  FabricKind kind = FabricKind::kNone;
  std::vector<LinkClassSpec> link_classes;
  std::vector<EdgeSpec> edges;               // kCustom only
  bool split_antipodal = true;               // opposite on an even ring: half of the bytes goes each way
  double switch_latency_ns = 0;
  double efa_Gbps_per_chip = 0;
  double efa_latency_us = 0;
  double efa_efficiency = 0;
  std::uint32_t collective_dma_engines_per_core = 8;   // that work on a collective at a time
  std::uint32_t collective_packet_bytes = 65536;       // DMA packet of a collective
  double collective_reduce_rate = 1;         // DMA rate of a reduced byte over that of a copied one
  double collective_sbuf_GBps_per_core = 0;  // SBUF of one core, reads and writes together
  std::uint32_t packet_bytes = 4096;         // `packet` model of the network: grain
  std::uint32_t credit_bytes = 65536;        // of one transfer on its way at most; >= packet_bytes
  double collective_setup_us = 0;
  double collective_hop_on_chip_us = 0;
  double collective_hop_intra_us = 0;
  double collective_hop_inter_us = 0;
  double threshold_mesh_rdh_mb = 0;
  double threshold_rdh_kangaring_mb = 0;
};

// Published headline figures of the whole system, PFLOPS; 0 = not published.
struct PublishedSystemPeaks {
  double bf16_pflops = 0;
  double fp8_pflops = 0;
  double fp32_pflops = 0;
  double mx_pflops = 0;
  double hbm_TBps = 0;
};

// What a launch adds to the kernel span (first to last instruction of the kernel) on each clock that
// measurements use. The span itself stays free of it.
struct LaunchSpec {
  double preamble_us = 0;                    // profile start to the first kernel row
  double tail_us = 0;                        // last kernel row to the end of the profile
  double counter_extra_us = 0;               // runtime's per-core counter above the profile total
  double nc_latency_below_profile_us = 0;    // benchmark API's nc_latency below the profile total
  double active_below_profile_us = 0;        // active time of a profile below its total

  [[nodiscard]] constexpr double profile_total_us() const { return preamble_us + tail_us; }
  [[nodiscard]] constexpr double counter_us() const { return profile_total_us() + counter_extra_us; }
  [[nodiscard]] constexpr double nc_latency_us() const {
    return profile_total_us() - nc_latency_below_profile_us;
  }
  [[nodiscard]] constexpr double active_us() const {
    return profile_total_us() - active_below_profile_us;
  }
};

struct SystemSpec {
  std::string name;                          // e.g. "trn2.48xlarge"
  std::string description;
  std::uint32_t servers = 1;
  std::uint32_t chips_per_server = 1;
  std::uint32_t cores_per_chip_used = 0;     // trn2-core, trn3-core: 1; otherwise all
  std::uint32_t lnc = 1;                     // logical NeuronCore size, 1 or 2
  double launch_overhead_us = 0;             // reported apart from kernel time
  LaunchSpec launch;
  ChipSpec chip;
  FabricSpec fabric;
  PublishedSystemPeaks published;

  [[nodiscard]] std::uint32_t chips() const { return servers * chips_per_server; }
  [[nodiscard]] std::uint32_t cores() const { return chips() * cores_per_chip_used; }
};

}  // namespace trnsim::spec
