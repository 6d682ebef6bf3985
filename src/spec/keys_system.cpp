// The keys of chip, HBM, fabric and system, and the tree as a whole.
#include <algorithm>

#include "key_list.h"

namespace trnsim::spec {
namespace {

std::vector<KeyNode> hbm_keys() {
  using S = HbmSpec;
  return {
      count(&S::stacks, "stacks", "", from_one(4096), "stacks of one chip"),
      real(&S::capacity_gib_per_stack, "capacity_gib_per_stack", "GiB", {kLeastRate, 1e6},
           "capacity of one stack"),
      real(&S::peak_GBps_per_stack, "peak_GBps_per_stack", "GB/s", rate_range(),
           "peak of one stack, reads and writes together"),
      real(&S::sustained_fraction, "sustained_fraction", "", fraction(),
           "usable share of the peak in the bandwidth model"),
      structural(choice(&S::model, "model", {"bandwidth", "banked"},
                        "bandwidth: one rate per stack; banked: channels, banks, rows, refresh")),
      count(&S::channels, "channels", "", from_one(4096), "channels of one stack"),
      count(&S::banks_per_channel, "banks_per_channel", "", from_one(4096), "banks of one channel"),
      count(&S::row_bytes, "row_bytes", "bytes", from_one(1e6), "one open row of one bank"),
      count(&S::interleave_bytes, "interleave_bytes", "bytes", from_one(1e6),
            "contiguous bytes on one channel"),
      real(&S::trcd_ns, "trcd_ns", "ns", from_zero(kMaxNs), "activate to column command"),
      real(&S::trp_ns, "trp_ns", "ns", from_zero(kMaxNs), "precharge"),
      real(&S::tras_ns, "tras_ns", "ns", from_zero(kMaxNs), "activate to precharge"),
      real(&S::twr_turnaround_ns, "twr_turnaround_ns", "ns", from_zero(kMaxNs),
           "bus turnaround between reads and writes"),
      real(&S::trefi_ns, "trefi_ns", "ns", {1, kMaxNs}, "refresh interval"),
      real(&S::trfc_ns, "trfc_ns", "ns", from_zero(kMaxNs), "refresh duration"),
      inert(real(&S::remote_extra_latency_ns, "remote_extra_latency_ns", "ns", from_zero(kMaxNs),
                 "extra latency of another quadrant's stack")),
  };
}

std::vector<KeyNode> power_keys() {
  using S = PowerSpec;
  return {
      real(&S::tdp_w, "tdp_w", "W", from_zero(1e6), "chip power at peak; 0 = not known"),
      real(&S::idle_fraction, "idle_fraction", "", share(), "share of it when idle"),
  };
}

std::vector<KeyNode> published_keys() {
  using S = PublishedPeaks;
  const auto peak = [](double S::*member, const char* key, const char* unit, const char* doc) {
    return optional(real(member, key, unit, from_zero(1e9), doc));
  };
  return {
      peak(&S::bf16_tflops, "bf16_tflops", "TFLOPS", "BF16, FP16 and TF32"),
      peak(&S::fp8_tflops, "fp8_tflops", "TFLOPS", "FP8"),
      peak(&S::fp32_tflops, "fp32_tflops", "TFLOPS", "FP32"),
      peak(&S::mx_tflops, "mx_tflops", "TFLOPS", "MXFP8 and MXFP4"),
      peak(&S::sparse_tflops, "sparse_tflops", "TFLOPS", "structured sparsity (not simulated)"),
      peak(&S::hbm_TBps, "hbm_TBps", "TB/s", "memory bandwidth"),
  };
}

std::vector<KeyNode> counting_keys() {
  using S = PeakCountingSpec;
  return {
      real(&S::vector_fp32_ops_per_lane_cycle, "vector_fp32_ops_per_lane_cycle", "", from_zero(1e6),
           "operations AWS counts per vector lane and cycle"),
      real(&S::scalar_fp32_ops_per_lane_cycle, "scalar_fp32_ops_per_lane_cycle", "", from_zero(1e6),
           "operations AWS counts per scalar lane and cycle"),
      real(&S::gpsimd_fp32_ops_per_lane_cycle, "gpsimd_fp32_ops_per_lane_cycle", "", from_zero(1e6),
           "operations AWS counts per GpSimd lane (one per partition) and cycle"),
  };
}

std::vector<KeyNode> chip_keys() {
  using S = ChipSpec;
  return {
      text(&S::name, "name", "name of this chip design"),
      count(&S::neuron_cores, "neuron_cores", "", from_one(kMaxCores),
            "physical cores of one chip"),
      count(&S::dies, "dies", "", from_one(64), "compute dies"),
      count(&S::cores_per_hbm_stack, "cores_per_hbm_stack", "", from_one(4096),
            "cores that are local to one HBM stack"),
      inert(count(&S::cc_cores, "cc_cores", "", from_zero(4096), "collective-communication cores")),
      real(&S::die_to_die_GBps_per_direction, "die_to_die_GBps_per_direction", "GB/s",
           from_zero(kMaxGBps), "between the dies; 0 = one die"),
      inert(real(&S::die_to_die_latency_ns, "die_to_die_latency_ns", "ns", from_zero(kMaxNs),
                 "crossing to another die")),
      group(&S::core, "core", "one NeuronCore", core_keys()),
      group(&S::hbm, "hbm", "high-bandwidth memory", hbm_keys()),
      inert(group(&S::power, "power", "power (energy reports only)", power_keys())),
      optional(group(&S::published, "published", "peaks of one chip as AWS prints them; 0 = none",
                     published_keys())),
      group(&S::counting, "counting", "how AWS counts the engines beside the tensor engine",
            counting_keys()),
  };
}

std::vector<KeyNode> link_keys() {
  using S = LinkClassSpec;
  return {
      optional(structural(count(&S::extent, "extent", "", from_one(kMaxCount),
                                "chips along a torus axis or below a switch tier; racks"))),
      count(&S::links_per_chip, "links_per_chip", "", from_one(4096),
            "links of this class per chip; custom: of one edge"),
      real(&S::GBps_per_direction_per_link, "GBps_per_direction_per_link", "GB/s", rate_range(),
           "raw rate of one link"),
      real(&S::hop_latency_ns, "hop_latency_ns", "ns", from_zero(kMaxNs), "crossing one link"),
      real(&S::efficiency, "efficiency", "", fraction(), "payload share of the raw rate"),
  };
}

std::vector<KeyNode> edge_keys() {
  using S = EdgeSpec;
  const Range nodes = from_zero(2 * kMaxCount);
  return {
      structural(count(&S::from, "from", "", nodes, "chip; from the chip count on: a switch")),
      structural(count(&S::to, "to", "", nodes, "the other end")),
      text(&S::link_class, "class", "row of link_classes"),
  };
}

std::vector<KeyNode> fabric_keys() {
  using S = FabricSpec;
  return {
      structural(choice(&S::kind, "kind", {"none", "ring", "torus", "switched", "custom"},
                        "topology between the chips")),
      optional(table(&S::link_classes, "link_classes",
                     "one row per torus axis, switch tier or kind of edge", link_keys())),
      optional(table(&S::edges, "edges", "wires of a custom fabric, both directions", edge_keys())),
      flag(&S::split_antipodal, "split_antipodal",
           "half of the bytes each way round between opposite chips of a ring"),
      real(&S::switch_latency_ns, "switch_latency_ns", "ns", from_zero(kMaxNs),
           "traversing one switch"),
      real(&S::efa_Gbps_per_chip, "efa_Gbps_per_chip", "Gb/s", from_zero(kMaxGBps),
           "network share of one chip; 0 = none"),
      real(&S::efa_latency_us, "efa_latency_us", "us", from_zero(kMaxUs), "HBM to HBM over EFA"),
      real(&S::efa_efficiency, "efa_efficiency", "", fraction(),
           "payload share of the network rate"),
      count(&S::collective_dma_engines_per_core, "collective_dma_engines_per_core", "",
            from_one(4096), "DMA engines of one physical core that carry its collectives"),
      count(&S::collective_packet_bytes, "collective_packet_bytes", "bytes", {64, 1 << 16},
            "DMA packet of a collective, against packets of kernels on the same engines"),
      real(&S::collective_reduce_rate, "collective_reduce_rate", "", fraction(),
           "rate of a reducing DMA over that of a copy"),
      real(&S::collective_sbuf_GBps_per_core, "collective_sbuf_GBps_per_core", "GB/s", rate_range(),
           "SBUF of one physical core for collectives, reads and writes together"),
      count(&S::packet_bytes, "packet_bytes", "bytes", {64, 1 << 20},
            "packet model of the network: bytes that are sent as one"),
      count(&S::credit_bytes, "credit_bytes", "bytes", {64, 1 << 30},
            "packet model of the network: bytes of one transfer on the way at most"),
      real(&S::collective_setup_us, "collective_setup_us", "us", from_zero(kMaxUs),
           "trigger, set-up and completion of one collective"),
      real(&S::collective_hop_on_chip_us, "collective_hop_on_chip_us", "us", from_zero(kMaxUs),
           "one step between ranks of a chip"),
      real(&S::collective_hop_intra_us, "collective_hop_intra_us", "us", from_zero(kMaxUs),
           "one step inside a node"),
      real(&S::collective_hop_inter_us, "collective_hop_inter_us", "us", from_zero(kMaxUs),
           "one step between nodes"),
      real(&S::threshold_mesh_rdh_mb, "threshold_mesh_rdh_mb", "MB", from_zero(1e9),
           "buffer size from which RDH replaces mesh"),
      real(&S::threshold_rdh_kangaring_mb, "threshold_rdh_kangaring_mb", "MB", from_zero(1e9),
           "buffer size from which KangaRing replaces RDH"),
  };
}

std::vector<KeyNode> launch_keys() {
  using S = LaunchSpec;
  return {
      real(&S::preamble_us, "preamble_us", "us", from_zero(kMaxUs),
           "start of a profile to the first kernel instruction"),
      real(&S::tail_us, "tail_us", "us", from_zero(kMaxUs),
           "last kernel instruction to the end of the profile"),
      real(&S::counter_extra_us, "counter_extra_us", "us", from_zero(kMaxUs),
           "runtime's per-core counter above the profile total"),
      real(&S::nc_latency_below_profile_us, "nc_latency_below_profile_us", "us", from_zero(kMaxUs),
           "nc_latency of the benchmark API below the profile total"),
      real(&S::active_below_profile_us, "active_below_profile_us", "us", from_zero(kMaxUs),
           "active time of a profile below its total"),
  };
}

std::vector<KeyNode> system_published_keys() {
  using S = PublishedSystemPeaks;
  const auto peak = [](double S::*member, const char* key, const char* unit, const char* doc) {
    return optional(real(member, key, unit, from_zero(1e9), doc));
  };
  return {
      peak(&S::bf16_pflops, "bf16_pflops", "PFLOPS", "BF16"),
      peak(&S::fp8_pflops, "fp8_pflops", "PFLOPS", "FP8"),
      peak(&S::fp32_pflops, "fp32_pflops", "PFLOPS", "FP32"),
      peak(&S::mx_pflops, "mx_pflops", "PFLOPS", "MXFP8 and MXFP4"),
      peak(&S::hbm_TBps, "hbm_TBps", "TB/s", "memory bandwidth"),
  };
}

KeyNode make_system_keys() {
  using S = SystemSpec;
  KeyNode root;
  root.doc = "a system";
  root.member = [](void* object) { return object; };
  root.children = {
      optional(text(&S::name, "name", "name in outputs; default: the file name")),
      optional(text(&S::description, "description", "one line for `describe --list`")),
      structural(count(&S::servers, "servers", "", from_one(kMaxServers), "servers of the system")),
      structural(count(&S::chips_per_server, "chips_per_server", "", from_one(kMaxChips),
                       "chips of one server")),
      structural(count(&S::cores_per_chip_used, "cores_per_chip_used", "", from_one(kMaxCores),
                       "cores of each chip that run something")),
      structural(count(&S::lnc, "lnc", "", {1, 2}, "physical cores of one logical NeuronCore")),
      real(&S::launch_overhead_us, "launch_overhead_us", "us", from_zero(kMaxUs),
           "host launch; reported apart from kernel time"),
      group(&S::launch, "launch", "what a launch adds to the kernel time, by clock", launch_keys()),
      group(&S::chip, "chip", "one chip", chip_keys()),
      group(&S::fabric, "fabric", "between the chips, and collectives", fabric_keys()),
      optional(group(&S::published, "published", "headline peaks of the whole system; 0 = none",
                     system_published_keys())),
  };
  return root;
}

void collect(const KeyNode& node, const std::string& prefix, std::vector<KeyPath>& paths) {
  for (const KeyNode& child : node.children) {
    const std::string path = prefix + child.key;
    if (child.is_leaf()) {
      paths.push_back({path, &child});
    } else {
      collect(child, path + (child.kind == KeyKind::kTable ? ".<name>." : "."), paths);
    }
  }
}

}  // namespace

const KeyNode* KeyNode::find(const std::string& name) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const KeyNode& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

std::vector<std::string> KeyNode::child_names() const {
  std::vector<std::string> names;
  for (const KeyNode& child : children) {
    names.push_back(child.key);
  }
  return names;
}

const KeyNode& system_keys() {
  static const KeyNode keys = make_system_keys();
  return keys;
}

std::vector<KeyPath> key_paths() {
  std::vector<KeyPath> paths;
  collect(system_keys(), "", paths);
  return paths;
}

}  // namespace trnsim::spec
