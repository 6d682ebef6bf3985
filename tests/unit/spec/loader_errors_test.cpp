// Every kind of mistake in a configuration is reported with its position and what to do.
#include <algorithm>

#include "config_files.h"

namespace trnsim::spec {
namespace {

TEST_F(ConfigFiles, SuggestTheNearestKey) {
  EXPECT_EQ(findings_of("chip:\n  core:\n    tensor:\n      clokc_ghz: 2.5\n"),
            Texts{"my.yaml:5:7: unknown key 'clokc_ghz' in chip.core.tensor; did you mean "
                  "'clock_ghz'?"});
}

TEST_F(ConfigFiles, ExplainThatTheUnitIsPartOfTheKey) {
  EXPECT_EQ(findings_of("chip: {core: {tensor: {clock_mhz: 2400}}}\n"),
            Texts{"my.yaml:2:24: unknown key 'clock_mhz' in chip.core.tensor; the unit is part of "
                  "the key: 'clock_ghz' in GHz"});
}

TEST_F(ConfigFiles, SayWhereAMisplacedKeyBelongs) {
  EXPECT_EQ(findings_of("tdp_w: 400\n"),
            Texts{"my.yaml:2:1: unknown key 'tdp_w' in the system; it belongs at "
                  "chip.power.tdp_w"});
}

TEST_F(ConfigFiles, RejectDuplicateKeys) {
  EXPECT_EQ(findings_of("lnc: 1\nservers: 1\nlnc: 1\n"),
            Texts{"my.yaml:4:1: duplicate key 'lnc', first given on line 2"});
}

TEST_F(ConfigFiles, RejectMergeKeys) {
  EXPECT_EQ(findings_of("chip:\n  <<: {dies: 2}\n"),
            Texts{"my.yaml:3:3: YAML merge keys ('<<') are not supported; use 'base: file.yaml'"});
}

TEST_F(ConfigFiles, RejectNumbersThatLookOctal) {
  EXPECT_EQ(findings_of("lnc: 01\n"), Texts{"my.yaml:2:6: '01' looks like an octal number; write "
                                            "it without the leading zero"});
}

TEST_F(ConfigFiles, RejectInfinityAndNotANumber) {
  const std::string range = "; 0.001 to 100 GHz";
  for (const std::string text : {".inf", "-.inf", "inf", ".nan", "nan"}) {
    EXPECT_EQ(findings_of("chip: {core: {tensor: {clock_ghz: " + text + "}}}\n"),
              Texts{"my.yaml:2:35: 'clock_ghz' takes a number, not '" + text + "'" + range});
  }
  EXPECT_EQ(findings_of("chip: {core: {tensor: {clock_ghz: 1e999}}}\n"),
            Texts{"my.yaml:2:35: '1e999' is too large or too small for a number" + range});
}

TEST_F(ConfigFiles, RejectEmptyValues) {
  for (const std::string text : {"", " ~", " null"}) {
    EXPECT_EQ(findings_of("lnc:" + text + "\n"),
              Texts{"my.yaml:2:1: 'lnc' is empty; give it a value or remove the key"});
  }
}

TEST_F(ConfigFiles, RejectWrongTypes) {
  EXPECT_EQ(findings_of("lnc: two\n"),
            Texts{"my.yaml:2:6: 'lnc' takes a whole number, not 'two'; 1 to 2"});
  EXPECT_EQ(findings_of("lnc: 1.0\n"),
            Texts{"my.yaml:2:6: 'lnc' takes a whole number, not '1.0'; 1 to 2"});
  EXPECT_EQ(findings_of("lnc: 0x1\n"),
            Texts{"my.yaml:2:6: 'lnc' takes a whole number, not '0x1'; 1 to 2"});
  EXPECT_EQ(findings_of("lnc: \"1\"\n"),
            Texts{"my.yaml:2:6: 'lnc' takes a whole number, not text; remove the quotes"});
  EXPECT_EQ(findings_of("lnc: [1]\n"), Texts{"my.yaml:2:6: 'lnc' is a list; no key takes a list"});
  EXPECT_EQ(findings_of("lnc: {a: 1}\n"), Texts{"my.yaml:2:6: 'lnc' takes one value, not a group"});
  EXPECT_EQ(findings_of("chip: {core: {vector: {perf_modes: yes}}}\n"),
            Texts{"my.yaml:2:36: 'perf_modes' takes true or false, not 'yes'"});
  EXPECT_EQ(findings_of("chip: {power: 500}\n"),
            Texts{"my.yaml:2:15: 'chip.power' is a group, it cannot be '500'; its keys: tdp_w, "
                  "idle_fraction"});
  EXPECT_EQ(findings_of("chip: {core: {dma: {default_dge: hardwar}}}\n"),
            Texts{"my.yaml:2:34: 'default_dge' cannot be 'hardwar', only static, software, "
                  "hardware; did you mean 'hardware'?"});
}

TEST_F(ConfigFiles, RejectValuesOutOfRangeOnBothSides) {
  EXPECT_EQ(findings_of("lnc: 0\n"), Texts{"my.yaml:2:6: 'lnc' is out of range: 0; 1 to 2"});
  EXPECT_EQ(findings_of("lnc: 3\n"), Texts{"my.yaml:2:6: 'lnc' is out of range: 3; 1 to 2"});
  EXPECT_EQ(findings_of("lnc: -1\n"), Texts{"my.yaml:2:6: 'lnc' is out of range: -1; 1 to 2"});
  EXPECT_EQ(findings_of("chip: {hbm: {sustained_fraction: 0}}\n"),
            Texts{"my.yaml:2:34: 'sustained_fraction' is out of range: 0; 0.001 to 1"});
  EXPECT_EQ(findings_of("chip: {hbm: {sustained_fraction: 1.0}}\n"), Texts{});
  EXPECT_EQ(findings_of("chip: {hbm: {sustained_fraction: 1.01}}\n"),
            Texts{"my.yaml:2:34: 'sustained_fraction' is out of range: 1.01; 0.001 to 1"});
}

TEST_F(ConfigFiles, NameMissingKeysOfTheirGroup) {
  const std::string path = write("power.yaml", "base: trn2-core\nchip:\n  power: {base: p.yaml}\n");
  write("p.yaml", "# no keys but one\nidle_fraction: 0.3\n");
  EXPECT_EQ(findings(path), Texts{"power.yaml:3:10: chip.power lacks key 'tdp_w'"});
}

TEST_F(ConfigFiles, RejectUnknownPartsOfALeaf) {
  EXPECT_EQ(findings_of("lnc: {value: 1, sauce: me}\n"),
            Texts{"my.yaml:2:17: unknown key 'sauce' beside 'value'; a leaf has value, source, "
                  "status and reason"});
  EXPECT_EQ(findings_of("lnc: {value: 1, status: guessed}\n"),
            Texts{"my.yaml:2:25: unknown status 'guessed'; one of published, measured, inferred, "
                  "assumed"});
  EXPECT_EQ(findings_of("lnc: {status: assumed}\n"),
            Texts{"my.yaml:2:6: a leaf with source, status or reason needs 'value' too"});
}

TEST_F(ConfigFiles, RejectCyclicAndMissingBases) {
  write("a.yaml", "base: b.yaml\n");
  write("b.yaml", "# second\nbase: a.yaml\n");
  EXPECT_EQ(findings(folder_ + "/a.yaml"), Texts{"b.yaml:2:7: base 'a.yaml' leads back to itself"});
  const Texts texts = findings(write("c.yaml", "base: nowhere.yaml\n"));
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_TRUE(texts[0].starts_with("c.yaml:1:7: base 'nowhere.yaml' does not exist")) << texts[0];
}

TEST_F(ConfigFiles, RejectBrokenYaml) {
  EXPECT_EQ(findings(write("a.yaml", "chip: {core: 1\nlnc: 2\n")),
            Texts{"a.yaml:2:4: YAML: end of map flow not found"});
  EXPECT_EQ(findings(write("b.yaml", "- 1\n")),
            Texts{"b.yaml:1:1: is not a mapping of keys to values"});
  EXPECT_EQ(findings(write("c.yaml", "")), Texts{"c.yaml:1:1: is not a mapping of keys to values"});
  EXPECT_EQ(findings(write("d.yaml", "base: trn2-core\n---\nlnc: 1\n")),
            Texts{"d.yaml:3:1: has more than one YAML document; put each system in its own file"});
}

TEST_F(ConfigFiles, SurviveAliasesThatContainThemselves) {
  const Texts texts = findings_of("chip: &a\n  core: *a\n");
  EXPECT_EQ(std::count_if(texts.begin(), texts.end(),
                          [](const std::string& text) {
                            return text.find("nests too deeply") != std::string::npos;
                          }),
            1);
}

TEST_F(ConfigFiles, ReportAllFindingsTogetherInOrder) {
  EXPECT_EQ(findings_of("lnc: 7\n"
                        "chip:\n"
                        "  core:\n"
                        "    tensor: {clock_ghz: fast, rowz: 3}\n"
                        "  dies: 3\n"),
            (Texts{"my.yaml:2:6: 'lnc' is out of range: 7; 1 to 2",
                   "my.yaml:5:25: 'clock_ghz' takes a number, not 'fast'; 0.001 to 100 GHz",
                   "my.yaml:5:31: unknown key 'rowz' in chip.core.tensor; did you mean 'rows'?",
                   "my.yaml:6:9: 8 cores do not divide over 3 dies"}));
}

TEST_F(ConfigFiles, RejectValuesThatContradictEachOther) {
  EXPECT_EQ(findings_of("cores_per_chip_used: 9\n"),
            Texts{"my.yaml:2:22: 9 cores in use of a chip that has 8"});
  EXPECT_EQ(findings_of("lnc: 2\n"), Texts{"my.yaml:2:6: logical cores of 2 do not divide 1 cores "
                                           "in use, 2 on each HBM stack"});
  EXPECT_EQ(findings(write("t.yaml", "base: trn1.2xlarge\nlnc: 2\n"))[0],
            "t.yaml:2:6: logical cores of 2 do not exist on trn1");
  EXPECT_EQ(findings_of("chip: {core: {tensor: {moving_free_max: 8192}}}\n"), Texts{});
  EXPECT_EQ(findings_of("chip: {core: {tensor: {moving_free_max: 8193}}}\n"),
            Texts{"my.yaml:2:41: 8193 moving columns of 2 bytes do not fit in 16384 bytes of PSUM "
                  "per partition"});
  EXPECT_EQ(findings_of("chip: {core: {dma: {dge_hardware_instances: 0}}}\n").size(), 1U);
}

TEST_F(ConfigFiles, NameUnknownSystemsAndFiles) {
  EXPECT_EQ(findings("trn2.48xlage"),
            Texts{"unknown system 'trn2.48xlage'; did you mean 'trn2.48xlarge'?"});
  EXPECT_EQ(findings(folder_ + "/none.yaml"), Texts{"none.yaml: does not exist"});
}

}  // namespace
}  // namespace trnsim::spec
