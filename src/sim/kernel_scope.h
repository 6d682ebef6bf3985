// A fresh SystemC context at 1 fs for the life of one simulation; the only place that resets it.
#pragma once

#include <systemc>

namespace trnsim::sim {

class KernelScope {
 public:
  KernelScope() {
    sc_core::sc_get_curr_simcontext()->reset();
    sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  }
  ~KernelScope() { sc_core::sc_get_curr_simcontext()->reset(); }
  KernelScope(const KernelScope&) = delete;
  KernelScope& operator=(const KernelScope&) = delete;
};

}  // namespace trnsim::sim
