// Flow bookkeeping of a stack.
#include "hbm_stack.h"

#include <algorithm>
#include <cmath>

#include "flow_share.h"
#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

constexpr double kDoneBytes = 1e-4;  // rounding left-over of double arithmetic
constexpr std::uint64_t kBankedAccessBytes = 4096;

}  // namespace

HbmStack::HbmStack(const sc_core::sc_module_name& name, const spec::HbmSpec& spec, AgendaIf& agenda,
                   UnitId id)
    : sc_module(name),
      spec_(spec),
      agenda_(agenda),
      id_(id),
      capacity_GBps_(spec.peak_GBps_per_stack * spec.sustained_fraction),
      banked_(spec) {}

std::uint64_t HbmStack::max_access_bytes() const {
  return spec_.model == spec::HbmModel::kBanked ? kBankedAccessBytes : UINT64_MAX;
}

void HbmStack::count(const HbmAccess& access, double sign, double payload_bytes) {
  const double bytes = sign * payload_bytes * access.hbm_bytes_per_byte;
  counters_.read_bytes += bytes * (1.0 - access.write_share);
  counters_.write_bytes += bytes * access.write_share;
}

HbmPortIf::Handle HbmStack::begin(Femtos now, const HbmAccess& access, HbmClient* client) {
  advance(now);
  count(access, 1.0, static_cast<double>(access.bytes));
  Flow flow;
  flow.handle = next_handle_++;
  flow.left_bytes = static_cast<double>(access.bytes);
  flow.engine_GBps = access.engine_GBps;
  flow.multiplicity = access.hbm_bytes_per_byte;
  flow.write_share = access.write_share;
  flow.client = client;
  if (spec_.model == spec::HbmModel::kBanked) {
    const Femtos engine = now + transfer_time(flow.left_bytes, access.engine_GBps);
    flow.finish = max(engine, serve_banked(access.issued, access));
    agenda_.at(flow.finish, Phase::kComplete, id_, this);
  } else {
    request_arbitration(now);
  }
  flows_.push_back(flow);
  return flow.handle;
}

Femtos HbmStack::serve_banked(Femtos now, const HbmAccess& access) {
  Femtos done = now;
  std::uint64_t left = access.bytes;
  std::uint64_t address = access.address;
  std::uint64_t in_row = access.row_offset;
  const std::uint64_t run = access.run_bytes == 0 ? left : access.run_bytes;
  while (left > 0) {
    const std::uint64_t piece = std::min(left, run - in_row);
    done = max(done, banked_.serve(now, address, piece, access.write_share >= 1.0));
    if (access.write_share > 0.0 && access.write_share < 1.0) {
      done = max(done, banked_.serve(now, address, piece, true));
    }
    left -= piece;
    in_row += piece;
    address += piece;
    if (in_row == run) {
      in_row = 0;
      address += access.row_stride_bytes > run ? access.row_stride_bytes - run : 0;
    }
  }
  return done;
}

std::uint64_t HbmStack::shorten(Femtos now, Handle handle, std::uint64_t packet_bytes) {
  if (spec_.model == spec::HbmModel::kBanked) {
    return 0;  // accesses are packets already
  }
  advance(now);
  const auto flow = std::find_if(flows_.begin(), flows_.end(),
                                 [handle](const Flow& f) { return f.handle == handle; });
  TRNSIM_CHECK(flow != flows_.end(), "{}: no access {}", name(), handle);
  const auto packet = static_cast<double>(packet_bytes);
  const double border = std::ceil(flow->done_bytes / packet + 1e-9) * packet;
  const double keep = border - flow->done_bytes;
  // Whole bytes are cut so that the engine's byte count stays exact.
  const double cut = std::floor(flow->left_bytes - keep);
  if (cut < 1.0) {
    return 0;
  }
  flow->left_bytes -= cut;
  HbmAccess counted;
  counted.hbm_bytes_per_byte = flow->multiplicity;
  counted.write_share = flow->write_share;
  count(counted, -1.0, cut);
  request_arbitration(now);
  return static_cast<std::uint64_t>(cut);
}

void HbmStack::advance(Femtos now) {
  const Femtos elapsed = now - updated_;
  updated_ = now;
  if (flows_.empty() || elapsed.count == 0) {
    return;
  }
  counters_.busy += elapsed;
  if (saturated_) {
    counters_.saturated += elapsed;
  }
  const double ns = elapsed.ns();
  for (Flow& flow : flows_) {
    flow.left_bytes -= flow.rate_GBps * ns;
    flow.done_bytes += flow.rate_GBps * ns;
  }
}

void HbmStack::request_arbitration(Femtos now) {
  if (!arbitration_pending_) {
    arbitration_pending_ = true;
    agenda_.at(now, Phase::kArbitrate, id_, this);
  }
}

void HbmStack::set_background(Femtos now, double GBps, double engine_share) {
  if (GBps == background_GBps_ && engine_share == engine_share_) {
    return;
  }
  advance(now);
  background_GBps_ = GBps;
  engine_share_ = engine_share;
  if (!flows_.empty() && spec_.model == spec::HbmModel::kBandwidth) {
    request_arbitration(now);
  }
}

void HbmStack::divide(Femtos now) {
  arbitration_pending_ = false;
  advance(now);
  demands_.clear();
  double total = 0;
  for (const Flow& flow : flows_) {
    demands_.push_back(flow.engine_GBps * flow.multiplicity * (1.0 - engine_share_));
    total += demands_.back();
  }
  const double capacity_GBps = capacity_GBps_ - background_GBps_;
  saturated_ = total > capacity_GBps;
  next_completion_ = kNever;
  if (flows_.empty()) {
    return;
  }
  max_min_share(capacity_GBps, demands_, rates_);
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    Flow& flow = flows_[i];
    flow.rate_GBps = rates_[i] / flow.multiplicity;
    const Femtos left = transfer_time(std::max(0.0, flow.left_bytes), flow.rate_GBps);
    next_completion_ = min(next_completion_, now + left);
  }
  // A completion at this very instant belongs to its first phase, which has passed.
  next_completion_ = max(next_completion_, now + Femtos{1});
  agenda_.at(next_completion_, Phase::kComplete, id_, this);
}

void HbmStack::complete(Femtos now) {
  advance(now);
  const bool banked = spec_.model == spec::HbmModel::kBanked;
  finished_.clear();
  std::erase_if(flows_, [&](const Flow& flow) {
    const bool done = banked ? flow.finish <= now : flow.left_bytes <= kDoneBytes;
    if (done) {
      finished_.push_back(flow.client);
    }
    return done;
  });
  if (!banked) {
    request_arbitration(now);
  }
  // Clients may begin new accesses; finished_ is not touched by begin().
  for (HbmClient* client : finished_) {
    client->on_hbm_done(now);
  }
}

void HbmStack::wake(Femtos now, Phase phase) {
  if (phase == Phase::kArbitrate) {
    divide(now);
  } else if (spec_.model == spec::HbmModel::kBanked || now == next_completion_) {
    complete(now);
  }
}

}  // namespace trnsim::models
