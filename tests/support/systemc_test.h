// Fixture of every test that builds SystemC modules: a fresh context at 1 fs, and a kernel warning
// (duplicate name, unbound port, ...) is a failure.
#pragma once

#include <gtest/gtest.h>

#include <systemc>

namespace trnsim::test {

inline void fail_on_warning(const sc_core::sc_report& report, const sc_core::sc_actions& actions) {
  if (report.get_severity() == sc_core::SC_WARNING) {
    ADD_FAILURE() << "SystemC: " << report.what();
    return;
  }
  sc_core::sc_report_handler::default_handler(report, actions);
}

class SystemCTest : public ::testing::Test {
 protected:
  void SetUp() override {
    sc_core::sc_get_curr_simcontext()->reset();  // all modules of the previous test are gone by now
    sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
    sc_core::sc_report_handler::set_handler(&fail_on_warning);
  }
  void TearDown() override { sc_core::sc_report_handler::set_handler(nullptr); }
};

}  // namespace trnsim::test
