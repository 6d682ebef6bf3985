// Well-formed gzip and protobuf with hostile content, crafted through the generated code.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <trace.pb.h>
#include <zlib.h>

#include <functional>

#include "example_traces.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

std::string with_length(const std::string& payload) {
  std::string out;
  std::size_t rest = payload.size();
  for (; rest >= 0x80; rest >>= 7U) {
    out.push_back(static_cast<char>((rest & 0x7fU) | 0x80U));
  }
  out.push_back(static_cast<char>(rest));
  return out + payload;
}

// The file of an otherwise valid trace of one memset, as blocks to tamper with.
struct Parts {
  trt::Block header;
  trt::Block tables;
  trt::Block instructions;
  trt::Block footer;

  Parts() {
    trt::Header& h = *header.mutable_header();
    h.set_magic(0x54524e54);
    h.set_format_version(1);
    h.set_lnc(1);
    trt::Tables& t = *tables.mutable_tables();
    t.set_text("tile");
    t.add_text_length(4);
    t.add_pattern_dtype(0);
    t.add_pattern_dims(1);
    t.add_dim_stride(1);
    t.add_dim_count(8);
    t.add_attribute_fields(0);
    t.add_tensor_name_delta(1);
    t.add_tensor_region(1);
    t.add_tensor_dtype(0);
    t.add_tensor_partitions(128);
    t.add_tensor_free_elements_delta(8);
    t.add_tensor_pinned_bytes_delta(-1);
    t.add_tensor_pinned_partition(0);
    t.add_tensor_site_delta(0);
    t.add_tensor_role(0);
    t.add_form_opcode(static_cast<std::uint32_t>(Opcode::kMemset));
    t.add_form_engine(1);
    t.add_form_outputs(1);
    t.add_form_inputs(0);
    t.add_form_attributes(0);
    t.add_form_source(0);
    t.add_form_pattern(0);
    t.add_form_partition_start(0);
    t.add_form_partition_count(128);
    trt::Instructions& i = *instructions.mutable_instructions();
    i.add_form(0);
    i.add_operand_tensor_delta(0);
    i.add_operand_offset_delta(0);
    trt::Footer& f = *footer.mutable_footer();
    f.set_strings(1);
    f.set_patterns(1);
    f.set_attributes(1);
    f.set_tensors(1);
    f.set_operands(1);
    f.set_instructions(1);
  }

  // The error when reading the file; its checksum is right.
  [[nodiscard]] std::string error(const std::string& extra_blocks = {}) {
    std::string plain = with_length(header.SerializeAsString()) +
                        with_length(tables.SerializeAsString()) +
                        with_length(instructions.SerializeAsString()) + extra_blocks;
    footer.mutable_footer()->set_crc32(static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size())));
    const TemporaryFile file(".trt");
    file.fill(gzip(plain + with_length(footer.SerializeAsString())));
    std::string text = error_of([&] { (void)read_trt(file.path()); });
    if (text.rfind(file.path(), 0) == 0) {
      text.erase(0, file.path().size() + 2);
    }
    return text;
  }
};

std::string tampered(const std::function<void(Parts&)>& change) {
  Parts parts;
  change(parts);
  return parts.error();
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << text << "' lacks '" << part << "'";
}

TEST(TrtHostile, TheUntamperedFileIsFine) {
  EXPECT_EQ(tampered([](Parts&) {}), "");
}

TEST(TrtHostile, OtherVersionsAreRefused) {
  expect_contains(tampered([](Parts& p) { p.header.mutable_header()->set_format_version(7); }),
                  "has format version 7; this trnsim reads 1");
  expect_contains(tampered([](Parts& p) { p.header.mutable_header()->set_rolled_loops(1); }),
                  "holds rolled loops, which this trnsim does not read");
  expect_contains(tampered([](Parts& p) { p.header.mutable_header()->set_magic(1); }),
                  "not a .trt file (a gzip file of something else)");
}

TEST(TrtHostile, FooterCountsMustMatchTheContent) {
  expect_contains(
      tampered([](Parts& p) { p.footer.mutable_footer()->set_instructions(UINT64_MAX); }),
      "the footer claims 18446744073709551615 instructions, the file holds 1");
  expect_contains(tampered([](Parts& p) { p.footer.mutable_footer()->set_strings(0); }),
                  "the footer claims 0 strings, the file holds 1");
}

TEST(TrtHostile, ColumnsMustAgree) {
  using Change = std::function<void(trt::Tables&)>;
  const std::vector<std::pair<Change, std::string>> cases{
      {[](trt::Tables& t) { t.set_text_length(0, UINT32_MAX); }, "string lengths exceed the text"},
      {[](trt::Tables& t) { t.set_text_length(0, 3); }, "string lengths do not cover the text"},
      {[](trt::Tables& t) { t.set_pattern_dims(0, UINT32_MAX); }, "a pattern of 4294967295 dims"},
      {[](trt::Tables& t) { t.set_pattern_dims(0, 2); }, "a pattern of 2 dims"},
      {[](trt::Tables& t) { t.set_pattern_dims(0, 0); }, "columns of the pattern dims differ"},
      {[](trt::Tables& t) { t.add_pattern_dtype(0); }, "columns of the patterns differ"},
      {[](trt::Tables& t) { t.add_dim_count(1); }, "columns of the pattern dims differ"},
      {[](trt::Tables& t) { t.set_pattern_dtype(0, 18); }, "dtype number 18 is unknown"},
      {[](trt::Tables& t) { t.set_attribute_fields(0, UINT32_MAX); }, "an attribute set of"},
      {[](trt::Tables& t) { t.add_attribute_field(1); }, "columns of the attribute fields differ"},
      {[](trt::Tables& t) { t.add_source_file(0); }, "columns of the source lines differ"},
      {[](trt::Tables& t) { t.add_tensor_role(0); }, "columns of the tensors differ"},
      {[](trt::Tables& t) { t.set_tensor_region(0, 3); }, "region number 3 is unknown"},
      {[](trt::Tables& t) { t.set_tensor_role(0, 4); }, "role number 4 is unknown"},
      {[](trt::Tables& t) { t.set_tensor_name_delta(0, -1); }, "a tensor's name runs out"},
      {[](trt::Tables& t) { t.set_form_opcode(0, 77); }, "opcode number 77 is unknown"},
      {[](trt::Tables& t) { t.set_form_engine(0, 6); }, "engine number 6 is unknown"},
      {[](trt::Tables& t) { t.set_form_outputs(0, 256); }, "output count number 256"},
      {[](trt::Tables& t) { t.set_form_inputs(0, 9); }, "fewer operands than it claims"},
      {[](trt::Tables& t) { t.add_form_pattern(0); }, "columns of the form operands differ"},
  };
  for (const auto& [change, message] : cases) {
    expect_contains(tampered([&change = change](Parts& p) { change(*p.tables.mutable_tables()); }),
                    message);
  }
}

TEST(TrtHostile, AttributeFieldsMustBePossible) {
  const auto with = [](std::uint32_t number, std::int64_t value) {
    return tampered([&](Parts& p) {
      trt::Tables& tables = *p.tables.mutable_tables();
      tables.set_attribute_fields(0, 1);
      tables.add_attribute_field(number);
      tables.add_attribute_value(value);
    });
  };
  EXPECT_EQ(with(trt::OP0, 1), "");
  expect_contains(with(0, 1), "attribute field number 0 is unknown");
  expect_contains(with(38, 1), "attribute field number 38 is unknown");
  expect_contains(with(trt::OP0, 42), "attribute op0 cannot be 42");
  expect_contains(with(trt::NEGATE, 2), "attribute negate cannot be 2");
  expect_contains(with(trt::REDUCE_DIMS, -1), "attribute reduce_dims cannot be -1");
  expect_contains(with(trt::AFFINE_PATTERN, INT64_MAX), "attribute affine_pattern cannot be");
  expect_contains(with(trt::AFFINE_PATTERN, 2), "pattern id 1 is not one of 1 patterns");
}

TEST(TrtHostile, InstructionColumnsMustAgree) {
  using Change = std::function<void(trt::Instructions&)>;
  const std::vector<std::pair<Change, std::string>> cases{
      {[](trt::Instructions& i) { i.set_form(0, 5); }, "form id 5 is not one of 1 forms"},
      {[](trt::Instructions& i) { i.add_form(0); }, "fewer operands than they claim"},
      {[](trt::Instructions& i) { i.add_operand_offset_delta(0); },
       "columns of the operands differ"},
      {[](trt::Instructions& i) {
         i.add_operand_tensor_delta(0);
         i.add_operand_offset_delta(0);
       },
       "columns of the operands differ"},
      {[](trt::Instructions& i) { i.set_operand_tensor_delta(0, INT64_MIN); },
       "a tensor id runs out of its range"},
      {[](trt::Instructions& i) { i.set_operand_tensor_delta(0, 4); },
       "operand 0: tensor id 4 is not one of 1 tensors"},
      {[](trt::Instructions& i) { i.set_operand_offset_delta(0, INT64_MIN); }, "covers bytes"},
  };
  for (const auto& [change, message] : cases) {
    expect_contains(
        tampered([&change = change](Parts& p) { change(*p.instructions.mutable_instructions()); }),
        message);
  }
}

TEST(TrtHostile, IdsOfFormsAreChecked) {
  expect_contains(tampered([](Parts& p) { p.tables.mutable_tables()->set_form_attributes(0, 1); }),
                  "attribute set id 1 is not one of 1 sets");
  expect_contains(tampered([](Parts& p) { p.tables.mutable_tables()->set_form_source(0, 1); }),
                  "source id 0 is not one of 0 source lines");
  expect_contains(tampered([](Parts& p) { p.tables.mutable_tables()->set_form_pattern(0, 1); }),
                  "pattern id 1 is not one of 1 patterns");
}

TEST(TrtHostile, BlocksOutOfPlaceAreRefused) {
  Parts parts;
  expect_contains(parts.error(with_length(parts.header.SerializeAsString())), "a second header");
  expect_contains(parts.error(with_length("")), "a block of unknown kind");
  expect_contains(parts.error("\xff\xff\xff\xff\x7f"), "claims more than");
  expect_contains(parts.error("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "claims more than");
  expect_contains(parts.error(with_length("garbage")), "not a block of the schema");
  parts.footer.clear_footer();
  parts.footer.mutable_footer();
  std::swap(parts.header, parts.tables);
  expect_contains(parts.error(), "not a .trt file");
}

TEST(TrtHostile, TooManyInstructionsInABlockAreRefused) {
  expect_contains(tampered([](Parts& p) {
                    for (int i = 0; i < 65'536; ++i) {
                      p.instructions.mutable_instructions()->add_form(0);
                    }
                  }),
                  "65537 instructions in one block, at most 65536 are possible");
}

TEST(TrtHostile, AClaimedBlockCostsNoMemory) {
  // A block that claims 16 MiB and ends at once: only what arrives is stored.
  Parts parts;
  const std::string plain =
      with_length(parts.header.SerializeAsString()) + std::string("\x80\x80\x80\x08", 4) + "x";
  const TemporaryFile file(".trt");
  file.fill(gzip(plain));
  expect_contains(error_of([&] { (void)read_trt(file.path()); }),
                  "is truncated: ends within a block of 16777216 bytes");
}

TEST(TrtHostile, AGzipBombStopsAtTheFirstBlock) {
  // 256 MiB of zero bytes in 256 KiB: an empty first block, so nothing is inflated beyond it.
  const TemporaryFile file(".trt");
  file.fill(gzip(std::string(std::size_t{256} << 20, '\0')));
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  expect_contains(error_of([&] { (void)read_trt(file.path()); }), "not a .trt file");
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 * 1024);  // KiB
}

TEST(TrtHostile, ABombInsideABlockIsBoundedByTheBlock) {
  // The largest block possible, all zero forms: refused by its instruction count after parsing.
  Parts parts;
  trt::Block bomb;
  bomb.mutable_instructions()->mutable_form()->Resize((16 << 20) - 64, 0);
  expect_contains(parts.error(with_length(bomb.SerializeAsString())),
                  "instructions in one block, at most 65536 are possible");
}

}  // namespace
}  // namespace trnsim::trace
