// base: files, --set, provenance, hash and JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config_files.h"

namespace trnsim::spec {
namespace {

const Provenance& leaf(const LoadedSystem& system, const std::string& path) {
  const auto found = std::find_if(system.leaves.begin(), system.leaves.end(),
                                  [&](const Provenance& entry) { return entry.path == path; });
  if (found == system.leaves.end()) {
    throw std::runtime_error("no leaf " + path);
  }
  return *found;
}

using Composition = ConfigFiles;
using Override = ConfigFiles;
using Hash = ConfigFiles;

TEST_F(Composition, OverridesKeepTheRestOfTheBase) {
  const std::string path = write("fast.yaml",
                                 "base: trn2.48xlarge\n"
                                 "chip:\n"
                                 "  hbm:\n"
                                 "    peak_GBps_per_stack: {value: 1000, source: vendor talk, "
                                 "status: published}\n"
                                 "    stacks: 4\n");
  const LoadedSystem system = load_system(path);
  EXPECT_EQ(system.spec.name, "fast");  // not the name of its base
  EXPECT_EQ(system.spec.chip.hbm.peak_GBps_per_stack, 1000);
  EXPECT_EQ(system.spec.chip.hbm.sustained_fraction, 0.91);
  EXPECT_EQ(system.spec.cores(), 128U);

  const Provenance& peak = leaf(system, "chip.hbm.peak_GBps_per_stack");
  EXPECT_EQ(peak.source, "vendor talk");
  EXPECT_EQ(peak.status, Status::kPublished);
  EXPECT_EQ(peak.unit, "GB/s");
  EXPECT_EQ(peak.where.line, 4);
  EXPECT_EQ(peak.where.column, 34);
  // A bare value is the writer's assumption.
  const Provenance& stacks = leaf(system, "chip.hbm.stacks");
  EXPECT_EQ(stacks.source, "fast.yaml:5");
  EXPECT_EQ(stacks.status, Status::kAssumed);
}

TEST_F(Composition, AGroupWithItsOwnBaseReplacesTheInheritedOne) {
  const std::string path =
      write("mix.yaml",
            "base: trn2.3xlarge\n"
            "chip:\n"
            "  core: {base: parts/trn3_core.yaml, sbuf: {kib_per_partition: 512}}\n");
  const LoadedSystem system = load_system(path);
  EXPECT_EQ(system.spec.chip.core.generation, Generation::kTrn3);
  EXPECT_EQ(system.spec.chip.core.sbuf.kib_per_partition, 512U);
  EXPECT_EQ(system.spec.chip.hbm.peak_GBps_per_stack, 716.8);
  EXPECT_EQ(system.spec.chip.name, "Trainium2");
}

TEST_F(Composition, LinkClassesMergeByName) {
  const std::string path = write("links.yaml",
                                 "base: trn2.48xlarge\n"
                                 "fabric: {link_classes: {y: {efficiency: 0.7}}}\n");
  const LoadedSystem system = load_system(path);
  ASSERT_EQ(system.spec.fabric.link_classes.size(), 2U);
  EXPECT_EQ(system.spec.fabric.link_classes[0].efficiency, 0.8);
  EXPECT_EQ(system.spec.fabric.link_classes[1].name, "y");
  EXPECT_EQ(system.spec.fabric.link_classes[1].efficiency, 0.7);
}

TEST_F(Composition, UnusualClocksAreWarningsNotErrors) {
  const LoadedSystem system = load_system("trn2-core", {"chip.core.tensor.clock_ghz=3"});
  ASSERT_EQ(system.warnings.size(), 1U);
  EXPECT_EQ(system.warnings[0],
            "--set chip.core.tensor.clock_ghz=3: tensor clock 3 GHz is not twice the scalar clock "
            "1.2 GHz, as on every Trainium");
}

TEST_F(Override, ReplacesALeafAndSaysSo) {
  const LoadedSystem system = load_system(
      "trn2.48xlarge", {"chip.core.dma.completion_ns=250", "fabric.link_classes.x.efficiency=1"});
  EXPECT_EQ(system.spec.chip.core.dma.completion_ns, 250);
  EXPECT_EQ(system.spec.fabric.link_classes[0].efficiency, 1);
  const Provenance& completion = leaf(system, "chip.core.dma.completion_ns");
  EXPECT_EQ(completion.source, "--set");
  EXPECT_EQ(completion.status, Status::kAssumed);
  EXPECT_EQ(completion.where.file, "--set chip.core.dma.completion_ns=250");
}

TEST_F(Override, TheLastOneForAKeyWins) {
  EXPECT_EQ(load_system("trn2.3xlarge", {"lnc=2", "lnc=1"}).spec.lnc, 1U);
}

TEST_F(Override, MakesUpForAMissingKey) {
  const std::string path = write("power.yaml", "base: trn2-core\nchip: {power: {base: p.yaml}}\n");
  write("p.yaml", "idle_fraction: 0.3\n");
  EXPECT_EQ(load_system(path, {"chip.power.tdp_w=450"}).spec.chip.power.tdp_w, 450);
}

TEST_F(Override, IsCheckedLikeAFile) {
  EXPECT_EQ(findings("trn2-core",
                     {"lnc=two", "chip.core.tensor=3", "lnc", "=2", "chip.core.tensor.rowz=3",
                      "tensor.clock_ghz=3", "lnc.x=1", "fabric.link_classes.q.efficiency=1"}),
            (Texts{"--set =2: is not of the form a.b.c=value",
                   "--set chip.core.tensor.rowz=3: unknown key 'rowz' in chip.core.tensor; did you "
                   "mean 'rows'?",
                   "--set chip.core.tensor=3: 'chip.core.tensor' is a group, not a value; its "
                   "keys: clock_ghz, rows, columns, fp8_rows_per_pe, mx_rows_per_pe, fp32_passes, "
                   "fp32_halves, fp32_transpose_passes, moving_free_max, mm_init_latency_cycles, "
                   "fast_load_factor, fast_load_strided_factor, ls_fp32_cycles_per_column, "
                   "ls_fp32_transpose_cycles_per_column, load_latency_cycles, "
                   "pipeline_latency_cycles, issue_gap_cycles, limited_latency_cycles, "
                   "semaphore_wait_ns, queue_depth_pairs, activity_limiter",
                   "--set fabric.link_classes.q.efficiency=1: no row 'q' in fabric.link_classes",
                   "--set lnc: is not of the form a.b.c=value",
                   "--set lnc.x=1: unknown key 'x' in lnc; 'lnc' is a value, it has no keys",
                   "--set lnc=two: 'lnc' takes a whole number, not 'two'; 1 to 2",
                   "--set tensor.clock_ghz=3: unknown key 'tensor' in the system; did you mean "
                   "chip.core.tensor.clock_ghz?"}));
}

TEST_F(Override, WorksOnEveryLeaf) {
  for (const std::string name : {"inf2.48xlarge", "trn2-core", "trn3-ultraserver-gen1"}) {
    const LoadedSystem system = load_system(name);
    for (const Provenance& entry : system.leaves) {
      const LoadedSystem same = load_system(name, {entry.path + "=" + entry.value});
      EXPECT_EQ(same.hash, system.hash) << name << " " << entry.path;
    }
  }
}

TEST_F(Hash, IgnoresCommentsNamesAndOrder) {
  const std::string hash = load_system("trn2-core").hash;
  EXPECT_EQ(hash.size(), 40U);
  EXPECT_EQ(load_system(write("a.yaml", "# comment\nlnc: 1\nbase: trn2-core\n")).hash, hash);
  EXPECT_EQ(load_system(write("b.yaml", "base: trn2-core\nname: other\n")).hash, hash);
  EXPECT_EQ(load_system("trn2-core", {"chip.core.tensor.clock_ghz=2.40"}).hash, hash);
}

TEST_F(Hash, ChangesWithAValue) {
  const std::string hash = load_system("trn2-core").hash;
  EXPECT_NE(load_system("trn2-core", {"chip.core.tensor.clock_ghz=2.41"}).hash, hash);
  EXPECT_NE(load_system("trn2-core", {"chip.core.vector.any_type_sbuf_2x=false"}).hash, hash);
  EXPECT_NE(load_system("trn2-core", {"chip.hbm.model=banked"}).hash, hash);
}

TEST(Json, HoldsValuesInDeclaredOrder) {
  const nlohmann::ordered_json json = to_json(load_system("trn2.48xlarge"));
  EXPECT_EQ(json.begin().key(), "name");
  EXPECT_EQ(json.at("lnc"), 2);
  EXPECT_EQ(json.at("chip").at("core").at("tensor").at("clock_ghz"), 2.4);
  EXPECT_EQ(json.at("chip").at("core").at("dma").at("default_dge"), "hardware");
  EXPECT_EQ(json.at("chip").at("core").at("psum").at("vector_scalar_exclusive"), false);
  EXPECT_EQ(json.at("fabric").at("link_classes").at("y").at("extent"), 4);
}

TEST(Json, NamesShippedFilesRelativeToTheConfigFolder) {
  const nlohmann::ordered_json leaves = provenance_json(load_system("trn2-core"));
  const auto clock = std::find_if(leaves.begin(), leaves.end(), [](const auto& entry) {
    return entry.at("path") == "chip.core.tensor.clock_ghz";
  });
  ASSERT_NE(clock, leaves.end());
  EXPECT_EQ(clock->at("where"), "parts/trn2_core.yaml:6:22");
  EXPECT_EQ(clock->at("status"), "published");
}

}  // namespace
}  // namespace trnsim::spec
