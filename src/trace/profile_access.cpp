// Address arithmetic of profiler exports (Trace format: addresses of SBUF, PSUM and HBM).
#include "profile_access.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::trace {
namespace {

// Where an export shows on-chip memories: engines see byte offsets within a partition, PSUM behind SBUF;
// DMAs see SBUF as one range of the address space, partitions a fixed distance apart.
constexpr std::uint64_t kPsumBase = 0x2000000;
constexpr std::uint64_t kDmaSbufBase = 0x802000000000;
constexpr std::uint64_t kDmaSbufEnd = 0x802010000000;
constexpr std::int64_t kDmaPartitionStride = 0x40000;
constexpr std::uint64_t kTensorAlignment = 8;  // so that offsets are whole elements of any type

// Dims of one element disappear, and from `first` on those that continue the next.
void merge(std::vector<Dim>& dims, std::size_t first) {
  std::erase_if(dims, [](const Dim& dim) { return dim.count == 1; });
  for (std::size_t d = dims.size(); d-- > first + 1;) {
    Dim& outer = dims[d - 1];
    const Dim& inner = dims[d];
    if (outer.stride == inner.stride * inner.count && inner.stride != 0) {
      outer = {inner.stride, outer.count * inner.count};
      dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(d));
    }
  }
}

// Weights are read backwards; which element comes first does not matter here.
void make_ascending(ProfileAccess& access) {
  for (Dim& dim : access.dims) {
    if (dim.stride < 0) {
      const std::int64_t back = dim.stride * (std::int64_t{dim.count} - 1);
      access.address += static_cast<std::uint64_t>(back * size_bytes(access.dtype));
      dim.stride = -dim.stride;
    }
  }
}

// The widest type that address, strides and row divide into: transfers have bytes, not elements.
DType transfer_dtype(std::uint64_t address, std::uint64_t row, const std::vector<std::int64_t>& strides) {
  for (const DType dtype : {DType::kUInt32, DType::kUInt16}) {
    const auto size = static_cast<std::int64_t>(size_bytes(dtype));
    if (address % size_bytes(dtype) == 0 && row % size_bytes(dtype) == 0 &&
        std::all_of(strides.begin(), strides.end(), [&](std::int64_t s) { return s % size == 0; })) {
      return dtype;
    }
  }
  return DType::kUInt8;
}

// Takes the dim that walks partitions out of `dims`; it must be the outermost.
void split_partitions(ProfileAccess& access, std::int64_t element_bytes) {
  const std::int64_t stride = kDmaPartitionStride / element_bytes;
  for (std::size_t d = 0; d < access.dims.size(); ++d) {
    if (access.dims[d].stride % stride != 0 || access.dims[d].stride == 0) {
      continue;
    }
    if (d != 0 || access.dims[d].stride != stride) {
      throw Error("walks the partitions of SBUF in an order that a trace cannot say");
    }
    access.partitions = access.dims[d].count;
    access.dims.erase(access.dims.begin());
    break;
  }
}

}  // namespace

std::uint64_t ProfileAccess::end() const {
  std::int64_t last = 0;
  for (const Dim& dim : dims) {
    last += dim.stride * (std::int64_t{dim.count} - 1);
  }
  return address + (static_cast<std::uint64_t>(last) + 1) * size_bytes(dtype);
}

ProfileAccess on_chip_access(const AddressPattern& pattern, std::uint32_t partitions, DType dtype,
                             bool keep_innermost) {
  ProfileAccess access;
  access.region = pattern.address >= kPsumBase ? Region::kPsum : Region::kSbuf;
  access.address = pattern.address - (access.region == Region::kPsum ? kPsumBase : 0);
  access.partitions = partitions;
  access.dtype = pattern.dtype.value_or(dtype);
  for (std::size_t d = pattern.counts.size(); d-- > 0;) {
    access.dims.push_back({pattern.strides[d], pattern.counts[d]});
  }
  make_ascending(access);
  if (keep_innermost) {
    const Dim innermost = access.dims.back();
    access.dims.pop_back();
    merge(access.dims, 0);
    access.dims.push_back(innermost);
  } else {
    merge(access.dims, 0);
  }
  return access;
}

ProfileAccess dma_access(const OperandText& text, const std::string& side) {
  std::vector<std::int64_t> strides;
  std::vector<std::uint32_t> counts;
  parse_strides_and_counts(text.at(side + "_pattern"), strides, counts);
  const std::uint64_t row = parse_unsigned(text.at(side + "_elem_size"));
  ProfileAccess access;
  access.region = Region::kHbm;
  if (const std::string* table = text.find(side + "_table_index")) {
    access.space = "argument" + *table;
    access.address = parse_unsigned(text.at(side + "_table_offset_imm"));
  } else {
    access.address = parse_unsigned(text.at(side + "_addr_imm"));
    if (access.address >= kDmaSbufBase && access.address < kDmaSbufEnd) {
      access.region = Region::kSbuf;
      access.address -= kDmaSbufBase;
      access.partition = static_cast<std::uint32_t>(access.address / kDmaPartitionStride);
      access.address %= kDmaPartitionStride;
    }
  }
  const std::string* named = text.find(side == "src" ? "in_dtype" : "out_dtype");
  const std::optional<DType> dtype = named != nullptr ? parse_dtype(*named) : std::nullopt;
  access.dtype = dtype.value_or(transfer_dtype(access.address, row, strides));
  const auto bytes = static_cast<std::int64_t>(size_bytes(access.dtype));
  for (std::size_t d = counts.size(); d-- > 0;) {
    access.dims.push_back({strides[d] / bytes, counts[d]});
  }
  access.dims.push_back({1, static_cast<std::uint32_t>(row / static_cast<std::uint64_t>(bytes))});
  make_ascending(access);
  merge(access.dims, 1);
  if (access.region == Region::kSbuf) {
    split_partitions(access, bytes);
    merge(access.dims, 0);
  }
  return access;
}

void ProfileTensors::add(const ProfileAccess& access, bool written) {
  auto& ranges = spaces_[{access.region, access.space}];
  std::uint64_t begin = access.address / kTensorAlignment * kTensorAlignment;
  Range range{access.end(), !written, written, {}};
  auto at = ranges.upper_bound(begin);
  if (at != ranges.begin() && std::prev(at)->second.end > begin) {
    --at;
  }
  while (at != ranges.end() && at->first < range.end) {
    begin = std::min(begin, at->first);
    range.end = std::max(range.end, at->second.end);
    range.read |= at->second.read;
    range.written |= at->second.written;
    at = ranges.erase(at);
  }
  ranges.emplace(begin, range);
}

void ProfileTensors::declare(TraceBuilder& builder) {
  constexpr std::uint32_t kPartitions = 128;
  for (auto& [space, ranges] : spaces_) {
    for (auto& [begin, range] : ranges) {
      const auto bytes = static_cast<std::uint32_t>(range.end - begin);
      const std::string name =
          space.second.empty() ? fmt::format("{}_{:#x}", trace::name(space.first), begin)
                               : space.second;
      if (space.first == Region::kHbm) {
        const Role role = range.read && range.written ? Role::kTemporary
                          : range.written             ? Role::kOutput
                          : space.second.empty()      ? Role::kConstant
                                                      : Role::kInput;
        range.whole = builder.hbm(name, DType::kUInt8, {bytes}, role);
      } else {
        const auto pinned = static_cast<std::int64_t>(begin);
        range.whole = space.first == Region::kPsum
                          ? builder.psum(name, DType::kUInt8, kPartitions, {bytes}, pinned)
                          : builder.sbuf(name, DType::kUInt8, kPartitions, {bytes}, pinned);
      }
    }
  }
}

View ProfileTensors::view(const ProfileAccess& access) const {
  const auto& ranges = spaces_.at({access.region, access.space});
  const auto at = std::prev(ranges.upper_bound(access.address));
  View view = at->second.whole;
  view.dtype = access.dtype;
  view.offset = static_cast<std::int64_t>((access.address - at->first) / size_bytes(access.dtype));
  view.dims = access.dims;
  if (access.region != Region::kHbm) {
    view.partition_start = access.partition;
    view.partitions = access.partitions;
  }
  return view;
}

}  // namespace trnsim::trace
