// Relations between values. Errors are machines that cannot exist or that the models cannot
// represent; warnings are unusual ones, so that a sweep of one clock or rate still runs.
#include <algorithm>
#include <cmath>

#include "resolve.h"

namespace trnsim::spec {
namespace {

class Checker {
 public:
  Checker(const Resolved& resolved, std::vector<Finding>& findings,
          std::vector<std::string>& warnings)
      : resolved_(resolved), findings_(findings), warnings_(warnings) {}

  // Reports at the first of `paths` unless `holds`, or unless one of them already has a finding.
  template <typename... Values>
  void require(bool holds, std::initializer_list<std::string> paths,
               fmt::format_string<Values...> what, Values&&... values) {
    if (!holds && usable(paths)) {
      findings_.push_back(
          {place(*paths.begin()), fmt::format(what, std::forward<Values>(values)...), ""});
    }
  }

  template <typename... Values>
  void expect(bool holds, std::initializer_list<std::string> paths,
              fmt::format_string<Values...> what, Values&&... values) {
    if (!holds && usable(paths)) {
      const Finding warning{place(*paths.begin()),
                            fmt::format(what, std::forward<Values>(values)...), ""};
      warnings_.push_back(warning.text());
    }
  }

 private:
  [[nodiscard]] bool usable(std::initializer_list<std::string> paths) const {
    for (std::string path : paths) {
      while (true) {  // a missing group makes everything below it unusable
        if (resolved_.invalid.contains(path)) {
          return false;
        }
        const std::size_t dot = path.rfind('.');
        if (dot == std::string::npos) {
          break;
        }
        path.resize(dot);
      }
    }
    return true;
  }

  [[nodiscard]] Location place(const std::string& path) const {
    const auto found = resolved_.places.find(path);
    return found == resolved_.places.end() ? Location{} : found->second;
  }

  const Resolved& resolved_;
  std::vector<Finding>& findings_;
  std::vector<std::string>& warnings_;
};

bool near(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::abs(b);
}

void check_clocks(const CoreSpec& core, Checker& check) {
  const char* const tensor = "chip.core.tensor.clock_ghz";
  const char* const vector = "chip.core.vector.clock_ghz";
  const char* const scalar = "chip.core.scalar.clock_ghz";
  check.expect(near(core.tensor.clock_ghz, 2 * core.scalar.clock_ghz), {tensor, scalar},
               "tensor clock {} GHz is not twice the scalar clock {} GHz, as on every Trainium",
               core.tensor.clock_ghz, core.scalar.clock_ghz);
  const double ratio = core.generation == Generation::kTrn3 ? 1.0 : 0.8;
  check.expect(near(core.vector.clock_ghz, ratio * core.scalar.clock_ghz), {vector, scalar},
               "vector clock {} GHz is not {} x the scalar clock {} GHz, as on this generation",
               core.vector.clock_ghz, ratio, core.scalar.clock_ghz);
}

void check_engines(const CoreSpec& core, Checker& check) {
  const TensorSpec& tensor = core.tensor;
  const std::uint32_t partitions = core.sbuf.partitions;
  check.require(tensor.rows <= partitions, {"chip.core.tensor.rows", "chip.core.sbuf.partitions"},
                "{} PE rows need as many partitions, SBUF has {}", tensor.rows, partitions);
  check.require(tensor.columns <= partitions,
                {"chip.core.tensor.columns", "chip.core.sbuf.partitions"},
                "{} PE columns write as many partitions, PSUM has {}", tensor.columns, partitions);
  check.require(tensor.fp32_passes % std::max(tensor.fp32_halves, 1U) == 0,
                {"chip.core.tensor.fp32_halves", "chip.core.tensor.fp32_passes"},
                "{} fp32 passes do not divide into {} pairs", tensor.fp32_passes,
                tensor.fp32_halves);
  const std::uint64_t psum_bytes =
      std::uint64_t{core.psum.banks} * core.psum.bank_bytes_per_partition;
  check.require(2ULL * tensor.moving_free_max <= psum_bytes,
                {"chip.core.tensor.moving_free_max", "chip.core.psum.banks",
                 "chip.core.psum.bank_bytes_per_partition"},
                "{} moving columns of 2 bytes do not fit in {} bytes of PSUM per partition",
                tensor.moving_free_max, psum_bytes);
  const ActivityLimiterSpec& limiter = tensor.activity_limiter;
  check.require(limiter.rearm_busy_fraction < limiter.release_busy_fraction,
                {"chip.core.tensor.activity_limiter.rearm_busy_fraction",
                 "chip.core.tensor.activity_limiter.release_busy_fraction"},
                "the limit comes back below {} busy but is only lifted at {}",
                limiter.rearm_busy_fraction, limiter.release_busy_fraction);
  check.expect(core.vector.lanes == partitions, {"chip.core.vector.lanes"},
               "{} vector lanes for {} partitions", core.vector.lanes, partitions);
  check.expect(core.scalar.lanes == partitions, {"chip.core.scalar.lanes"},
               "{} scalar lanes for {} partitions", core.scalar.lanes, partitions);
  const std::uint64_t sbuf_bytes = 1024ULL * core.sbuf.kib_per_partition;
  check.require(core.sbuf.reserved_bytes_per_partition < sbuf_bytes,
                {"chip.core.sbuf.reserved_bytes_per_partition", "chip.core.sbuf.kib_per_partition"},
                "{} reserved bytes leave nothing of {} bytes per partition",
                core.sbuf.reserved_bytes_per_partition, sbuf_bytes);
}

void check_dma(const CoreSpec& core, Checker& check) {
  const DmaSpec& dma = core.dma;
  check.require(
      std::uint64_t{dma.engines} * dma.partitions_per_engine >= core.sbuf.partitions,
      {"chip.core.dma.partitions_per_engine", "chip.core.dma.engines", "chip.core.sbuf.partitions"},
      "{} engines x {} partitions do not cover {} partitions", dma.engines,
      dma.partitions_per_engine, core.sbuf.partitions);
  check.require(dma.packet_bytes <= dma.descriptor_max_bytes,
                {"chip.core.dma.packet_bytes", "chip.core.dma.descriptor_max_bytes"},
                "packets of {} bytes are larger than the largest descriptor, {} bytes",
                dma.packet_bytes, dma.descriptor_max_bytes);
  check.require(dma.default_dge != DgeMode::kHardware || dma.dge_hardware_instances > 0,
                {"chip.core.dma.default_dge", "chip.core.dma.dge_hardware_instances"},
                "hardware DGE is the default but there are {} instances of it",
                dma.dge_hardware_instances);
  check.expect(dma.effective_GBps_per_engine <= dma.wire_GBps_per_engine,
               {"chip.core.dma.effective_GBps_per_engine", "chip.core.dma.wire_GBps_per_engine"},
               "payload at {} GB/s is faster than the wire at {} GB/s",
               dma.effective_GBps_per_engine, dma.wire_GBps_per_engine);
}

void check_hbm(const HbmSpec& hbm, Checker& check) {
  check.require(hbm.row_bytes % std::max(hbm.interleave_bytes, 1U) == 0,
                {"chip.hbm.interleave_bytes", "chip.hbm.row_bytes"},
                "a row of {} bytes is not a whole number of {} byte pieces", hbm.row_bytes,
                hbm.interleave_bytes);
  check.require(hbm.tras_ns >= hbm.trcd_ns, {"chip.hbm.tras_ns", "chip.hbm.trcd_ns"},
                "a row stays open {} ns but its first access takes {} ns", hbm.tras_ns,
                hbm.trcd_ns);
  check.require(hbm.trfc_ns < hbm.trefi_ns, {"chip.hbm.trfc_ns", "chip.hbm.trefi_ns"},
                "a refresh of {} ns every {} ns leaves no time for data", hbm.trfc_ns,
                hbm.trefi_ns);
}

void check_chip(const SystemSpec& system, Checker& check) {
  const ChipSpec& chip = system.chip;
  check.require(std::uint64_t{chip.hbm.stacks} * chip.cores_per_hbm_stack == chip.neuron_cores,
                {"chip.cores_per_hbm_stack", "chip.hbm.stacks", "chip.neuron_cores"},
                "{} HBM stacks x {} cores do not make {} cores", chip.hbm.stacks,
                chip.cores_per_hbm_stack, chip.neuron_cores);
  check.require(chip.neuron_cores % std::max(chip.dies, 1U) == 0,
                {"chip.dies", "chip.neuron_cores"}, "{} cores do not divide over {} dies",
                chip.neuron_cores, chip.dies);
  check.require(chip.dies == 1 || chip.die_to_die_GBps_per_direction > 0,
                {"chip.die_to_die_GBps_per_direction", "chip.dies"},
                "{} dies need a bandwidth between them", chip.dies);
  check.require(
      system.cores_per_chip_used <= chip.neuron_cores, {"cores_per_chip_used", "chip.neuron_cores"},
      "{} cores in use of a chip that has {}", system.cores_per_chip_used, chip.neuron_cores);
  check.require(system.lnc == 1 || chip.core.generation != Generation::kTrn1,
                {"lnc", "chip.core.generation"}, "logical cores of {} do not exist on trn1",
                system.lnc);
  check.require(system.cores_per_chip_used % std::max(system.lnc, 1U) == 0 &&
                    chip.cores_per_hbm_stack % std::max(system.lnc, 1U) == 0,
                {"lnc", "cores_per_chip_used", "chip.cores_per_hbm_stack"},
                "logical cores of {} do not divide {} cores in use, {} on each HBM stack",
                system.lnc, system.cores_per_chip_used, chip.cores_per_hbm_stack);
}

// Chips that NeuronLink joins.
std::uint64_t domain_chips(const FabricSpec& fabric) {
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < fabric.link_classes.size(); ++i) {
    const std::uint32_t extent = fabric.link_classes[i].extent;
    // A rack's extent counts the chips of its sleds.
    product = fabric.kind == FabricKind::kSwitched && i == 1
                  ? std::max<std::uint64_t>(product, extent)
                  : std::min<std::uint64_t>(product * extent, UINT32_MAX);
  }
  return product;
}

void check_edges(const SystemSpec& system, Checker& check) {
  const FabricSpec& fabric = system.fabric;
  check.require(!fabric.edges.empty(), {"fabric.kind", "fabric.edges"},
                "a custom fabric needs edges");
  for (const EdgeSpec& edge : fabric.edges) {
    const std::string path = "fabric.edges." + edge.name;
    check.require(std::any_of(fabric.link_classes.begin(), fabric.link_classes.end(),
                              [&](const LinkClassSpec& link) {
                                return link.name == edge.link_class;
                              }),
                  {path + ".class", path}, "no row '{}' in fabric.link_classes", edge.link_class);
    check.require(edge.from != edge.to, {path + ".to", path}, "an edge from {} to itself",
                  edge.from);
    const auto same = std::find_if(
        fabric.edges.begin(), fabric.edges.end(), [&](const EdgeSpec& other) {
          return std::minmax(other.from, other.to) == std::minmax(edge.from, edge.to);
        });
    check.require(same->name == edge.name, {path, "fabric.edges." + same->name},
                  "edge '{}' joins {} and {} already", same->name, edge.from, edge.to);
  }
}

void check_fabric(const SystemSpec& system, Checker& check) {
  const FabricSpec& fabric = system.fabric;
  check.require(fabric.credit_bytes >= fabric.packet_bytes,
                {"fabric.credit_bytes", "fabric.packet_bytes"},
                "credits of {} bytes do not cover a packet of {}", fabric.credit_bytes,
                fabric.packet_bytes);
  if (fabric.kind == FabricKind::kNone) {
    check.expect(system.chips() == 1, {"fabric.kind", "servers", "chips_per_server"},
                 "{} chips without a fabric cannot exchange data", system.chips());
    return;
  }
  check.require(!fabric.link_classes.empty(), {"fabric.kind", "fabric.link_classes"},
                "a fabric needs link classes");
  if (fabric.kind == FabricKind::kCustom) {
    check_edges(system, check);
    return;
  }
  check.require(fabric.edges.empty(), {"fabric.edges", "fabric.kind"},
                "edges belong to a custom fabric only");
  const std::uint64_t domain = domain_chips(fabric);
  check.require(system.chips() % domain == 0 && domain % system.chips_per_server == 0,
                {"fabric.link_classes", "fabric.kind", "servers", "chips_per_server"},
                "the extents of the link classes make {} chips, the system has {}", domain,
                system.chips());
  check.require(domain >= system.chips() || fabric.efa_Gbps_per_chip > 0,
                {"fabric.efa_Gbps_per_chip", "fabric.link_classes", "servers"},
                "{} chips in domains of {} cannot exchange data without EFA", system.chips(),
                domain);
  check.require(fabric.kind != FabricKind::kRing || fabric.link_classes.size() == 1,
                {"fabric.link_classes", "fabric.kind"}, "a ring has one link class, not {}",
                fabric.link_classes.size());
  check.require(fabric.link_classes.size() <= 3, {"fabric.link_classes"},
                "at most three torus axes or switch tiers, not {}", fabric.link_classes.size());
  if (fabric.kind == FabricKind::kSwitched) {
    check.require(fabric.link_classes.size() < 2 ||
                      fabric.link_classes[1].extent % fabric.link_classes[0].extent == 0,
                  {"fabric.link_classes"}, "racks are not a whole number of sleds");
    return;
  }
  for (const LinkClassSpec& link : fabric.link_classes) {
    check.require(link.extent <= 2 || link.links_per_chip % 2 == 0,
                  {"fabric.link_classes." + link.name + ".links_per_chip", "fabric.link_classes"},
                  "{} links per chip do not divide over two neighbours", link.links_per_chip);
  }
}

}  // namespace

void check_relations(const Resolved& resolved, std::vector<Finding>& findings,
                     std::vector<std::string>& warnings) {
  Checker check(resolved, findings, warnings);
  const SystemSpec& system = resolved.spec;
  if (resolved.places.empty()) {
    return;  // nothing could be read
  }
  check_clocks(system.chip.core, check);
  check_engines(system.chip.core, check);
  check_dma(system.chip.core, check);
  check_hbm(system.chip.hbm, check);
  check_chip(system, check);
  check_fabric(system, check);
}

}  // namespace trnsim::spec
