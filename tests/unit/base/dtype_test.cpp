// The dtype table.
#include "trnsim/base/dtype.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace trnsim {
namespace {

TEST(DType, EveryNameIsUniqueAndParsesBack) {
  const std::vector<std::string> names = dtype_names();
  ASSERT_EQ(names.size(), static_cast<std::size_t>(kDTypeCount));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(name(dtype), names[static_cast<std::size_t>(i)]);
    EXPECT_EQ(parse_dtype(name(dtype)), dtype);
  }
}

TEST(DType, ParsesShortForms) {
  EXPECT_EQ(parse_dtype("bf16"), DType::kBFloat16);
  EXPECT_EQ(parse_dtype("fp32"), DType::kFloat32);
  EXPECT_EQ(parse_dtype("fp8_e4m3"), DType::kFloat8E4);
  EXPECT_FALSE(parse_dtype("float31"));
  EXPECT_FALSE(parse_dtype(""));
}

TEST(DType, SizesAreThoseOfMemory) {
  EXPECT_EQ(size_bytes(DType::kFloat32), 4U);
  EXPECT_EQ(size_bytes(DType::kTFloat32), 4U);
  EXPECT_EQ(size_bytes(DType::kBFloat16), 2U);
  EXPECT_EQ(size_bytes(DType::kFloat8E5), 1U);
  EXPECT_EQ(size_bytes(DType::kFloat8E4FnX4), 4U);
  EXPECT_EQ(size_bytes(DType::kFloat4E2X4), 2U);
  EXPECT_EQ(size_bytes(DType::kUInt16), 2U);
  EXPECT_EQ(size_bytes(DType::kBool), 1U);
}

TEST(DType, ClassesDoNotOverlap) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    const int classes = int{is_16bit_float(dtype)} + int{is_fp8(dtype)} + int{is_mx(dtype)} +
                        int{is_fp32(dtype)} + int{dtype == DType::kTFloat32};
    EXPECT_EQ(classes, is_float(dtype) ? 1 : 0) << name(dtype);
  }
}

}  // namespace
}  // namespace trnsim
