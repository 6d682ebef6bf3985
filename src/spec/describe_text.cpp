// `trnsim describe` as text of at most 80 columns.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "text_wrap.h"
#include "trnsim/spec/describe.h"
#include "trnsim/spec/peaks.h"

namespace trnsim::spec {
namespace {

std::string plural(std::uint64_t count, const char* word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string mib(std::uint64_t bytes) {
  return fmt::format("{:g} MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
}

void composition(const SystemSpec& system, std::string& out) {
  const ChipSpec& chip = system.chip;
  const CoreSpec& core = chip.core;
  out += "\nComposition\n";
  out += fmt::format("  {} x {} = {} ({}, {})\n", plural(system.servers, "server"),
                     plural(system.chips_per_server, "chip"), plural(system.chips(), "chip"),
                     chip.name, plural(chip.dies, "die"));
  out += fmt::format("  {} of {} cores per chip in use: {}, {} at LNC {}\n",
                     system.cores_per_chip_used, chip.neuron_cores,
                     plural(system.cores(), "physical core"),
                     plural(system.cores() / system.lnc, "logical core"), system.lnc);
  out += wrapped(
      "  ", fmt::format("{}: tensor {} x {} at {} GHz, vector {} GHz, scalar {} GHz, "
                        "GpSimd {} GHz",
                        core.name, core.tensor.rows, core.tensor.columns, core.tensor.clock_ghz,
                        core.vector.clock_ghz, core.scalar.clock_ghz, core.gpsimd.clock_ghz));
  const std::uint64_t sbuf = 1024ULL * core.sbuf.kib_per_partition * core.sbuf.partitions;
  const std::uint64_t psum =
      std::uint64_t{core.psum.banks} * core.psum.bank_bytes_per_partition * core.sbuf.partitions;
  out += fmt::format("  SBUF {} ({} KiB x {} partitions), PSUM {} ({} banks) per core\n", mib(sbuf),
                     core.sbuf.kib_per_partition, core.sbuf.partitions, mib(psum), core.psum.banks);
}

void peaks(const SystemSpec& system, std::string& out) {
  out +=
      fmt::format("\n{:<28}{:>12}{:>12}{:>12}\n", "Peaks", "simulated", "published", "difference");
  for (const PeakRow& row : peak_rows(system)) {
    const std::string label = fmt::format("  {} {}", row.label, row.unit);
    if (row.published == 0) {
      out += fmt::format("{:<28}{:>12.4f}{:>12}\n", label, row.derived, "-");
      continue;
    }
    out += fmt::format("{:<28}{:>12.4f}{:>12g}{:>+10.1f} %\n", label, row.derived, row.published,
                       100 * (row.published / row.derived - 1));
    for (const PeakReason& reason : row.reasons) {
      out += wrapped(fmt::format("      {:<+8.4f} ", reason.difference), reason.text);
    }
  }
  if (system.cores_per_chip_used < system.chip.neuron_cores) {
    out += fmt::format("  Published: {} of {} cores' share of the chip; HBM by whole stacks.\n",
                       system.cores_per_chip_used, system.chip.neuron_cores);
  }
  if (system.chip.published.sparse_tflops > 0) {
    out += fmt::format("  Published sparse peak, {} TFLOPS per chip: not simulated.\n",
                       system.chip.published.sparse_tflops);
  }
}

void memory(const SystemSpec& system, std::string& out) {
  const HbmSpec& hbm = system.chip.hbm;
  const DmaSpec& dma = system.chip.core.dma;
  const std::uint64_t stacks = std::uint64_t{system.chips()} * hbm.stacks;
  out += "\nMemory and DMA\n";
  out += fmt::format("  HBM: {} x {} GiB = {} GiB, {} local to the cores in use\n",
                     plural(stacks, "stack"), hbm.capacity_gib_per_stack,
                     static_cast<double>(stacks) * hbm.capacity_gib_per_stack,
                     plural(std::uint64_t{system.chips()} * stacks_in_use(system), "stack"));
  out += fmt::format("       {} GB/s per stack, {:.1f} sustained ({} model)\n",
                     hbm.peak_GBps_per_stack, hbm.peak_GBps_per_stack * hbm.sustained_fraction,
                     hbm.model == HbmModel::kBanked ? "banked" : "bandwidth");
  const double engines = static_cast<double>(system.cores()) * dma.engines;
  out += fmt::format("  DMA: {} engines; payload {} GB/s each, {:.1f} GB/s in all\n", engines,
                     dma.effective_GBps_per_engine, engines * dma.effective_GBps_per_engine);
  out += fmt::format("       on the wire {} GB/s each, {:.1f} GB/s in all\n",
                     dma.wire_GBps_per_engine, engines * dma.wire_GBps_per_engine);
  const double chip_dma = system.chip.neuron_cores * dma.engines * dma.effective_GBps_per_engine;
  out += fmt::format("       payload of a whole chip is {:.2f} of its HBM peak\n",
                     chip_dma / (hbm.stacks * hbm.peak_GBps_per_stack));
}

std::ptrdiff_t edges_of(const FabricSpec& fabric, const std::string& link_class) {
  return std::count_if(fabric.edges.begin(), fabric.edges.end(),
                       [&](const EdgeSpec& edge) { return edge.link_class == link_class; });
}

void fabric(const SystemSpec& system, std::string& out) {
  static constexpr const char* kKinds[] = {"none", "ring", "torus", "switched", "custom"};
  const FabricSpec& fabric = system.fabric;
  if (fabric.kind == FabricKind::kNone) {
    return;
  }
  out += fmt::format("\nFabric: {}, per {} and direction\n",
                     kKinds[static_cast<std::size_t>(fabric.kind)],
                     fabric.kind == FabricKind::kCustom ? "edge" : "chip");
  for (const LinkClassSpec& link : fabric.link_classes) {
    const std::string size = fabric.kind == FabricKind::kCustom
                                 ? fmt::format("{:>4} edges", edges_of(fabric, link.name))
                                 : fmt::format("{:>4} chips", link.extent);
    out += fmt::format("  {:<14}{}  {} x {} GB/s = {} GB/s, {} of it payload\n", link.name, size,
                       link.links_per_chip, link.GBps_per_direction_per_link,
                       link.links_per_chip * link.GBps_per_direction_per_link, link.efficiency);
  }
  if (fabric.efa_Gbps_per_chip > 0) {
    out += fmt::format("  {:<14}            {} Gb/s\n", "EFA", fabric.efa_Gbps_per_chip);
  }
}

std::string group_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "system" : path.substr(0, dot);
}

void values(const LoadedSystem& system, std::string& out) {
  out += "\nValues (P published, M measured, I inferred, A assumed, none: composition)\n";
  std::string group;
  for (const Provenance& leaf : system.leaves) {
    if (group_of(leaf.path) != group) {
      group = group_of(leaf.path);
      out += fmt::format("{}\n", group);
    }
    const std::string key = leaf.path.substr(leaf.path.rfind('.') + 1);
    const std::string value = leaf.value + (leaf.unit.empty() ? "" : " " + leaf.unit);
    if (leaf.structural) {
      out += wrapped(fmt::format("  {:<33}", key), value);
    } else {
      const char letter = static_cast<char>(std::toupper(name(leaf.status).front()));
      out += wrapped(fmt::format("  {:<33}{:<17} {} ", key, value, letter), leaf.source);
    }
  }
}

void assumptions(const LoadedSystem& system, std::string& out) {
  const auto is_assumed = [](const Provenance& leaf) {
    return !leaf.structural && leaf.status == Status::kAssumed;
  };
  out += fmt::format("\nAssumed: {} of {} values. Change any with --set KEY=VALUE.\n",
                     std::count_if(system.leaves.begin(), system.leaves.end(), is_assumed),
                     system.leaves.size());
  for (const Provenance& leaf : system.leaves) {
    if (is_assumed(leaf)) {
      out += fmt::format("  {} = {}\n", leaf.path, leaf.value);
      out += wrapped("      ", leaf.reason.empty() ? "given by " + leaf.source : leaf.reason);
    }
  }
}

}  // namespace

std::string describe_text(const LoadedSystem& system, bool with_values) {
  std::string out = system.spec.name;
  if (!system.spec.description.empty()) {
    out = wrapped(out + ": ", system.spec.description);
  } else {
    out += "\n";
  }
  out += fmt::format("hash {}\n", system.hash);
  for (const std::string& warning : system.warnings) {
    out += wrapped("warning: ", warning);
  }
  composition(system.spec, out);
  peaks(system.spec, out);
  memory(system.spec, out);
  fabric(system.spec, out);
  if (with_values) {
    values(system, out);
    assumptions(system, out);
  }
  return out;
}

std::string system_list_text() {
  std::string out;
  for (const std::string& name : system_names()) {
    out += fmt::format("{:<24}{}\n", name, load_system(name).spec.description);
  }
  return out;
}

}  // namespace trnsim::spec
