// Text, JSON and CSV of a profile comparison.
#include <ostream>

#include "trnsim/base/error.h"
#include "trnsim/report/compare_report.h"

namespace trnsim::report {
namespace {

using analysis::Pairing;
using analysis::ProfileComparison;
using Json = nlohmann::ordered_json;

double ratio(double simulated, double measured) {
  return measured > 0 ? simulated / measured : 0;
}

std::string percent(double ratio) {
  return fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

std::string engines_table(const trace::ImportedProfile& imported, const ProfileComparison& c) {
  std::string text = fmt::format("\n  {:<8}{:>6}{:>14}{:>14}{:>9}   {}\n", "engine", "rows",
                                 "busy measured", "simulated", "error", "drifts first at");
  for (const analysis::EngineComparison& e : c.engines) {
    std::string drift = "never";
    if (e.drift) {
      const trace::ProfileRow& row = imported.profile.rows[e.drift->row];
      drift = fmt::format("pc {} {} ({:+.2f} us)", row.pc, row.opcode,
                          e.drift->at.start_error_ns() / 1000);
    }
    text += fmt::format("  {:<8}{:>6}{:>11.3f} us{:>11.3f} us{:>9}   {}\n", trace::name(e.engine),
                        e.rows, e.measured_busy_ns / 1000, e.simulated_busy_ns / 1000,
                        percent(ratio(e.simulated_busy_ns, e.measured_busy_ns)), drift);
  }
  return text;
}

std::string opcodes_table(const ProfileComparison& c) {
  std::string text = fmt::format("\n  {:<8}{:<18}{:>6}{:>14}{:>12}{:>15}\n", "engine", "opcode",
                                 "rows", "median meas.", "simulated", "median |error|");
  for (const analysis::OpcodeComparison& o : c.opcodes) {
    text += fmt::format("  {:<8}{:<18}{:>6}{:>11.0f} ns{:>9.0f} ns{:>13.1f} %\n",
                        trace::name(o.engine), o.opcode, o.rows, o.measured_median_ns,
                        o.simulated_median_ns, 100 * o.median_error);
  }
  return text;
}

std::string dmas_table(const trace::ImportedProfile& imported, const ProfileComparison& c) {
  if (c.dmas.empty()) {
    return "";
  }
  std::string text = fmt::format("\n  {:<18}{:>12}{:>22}{:>24}\n", "DMA", "bytes",
                                 "first byte meas./sim.", "in flight meas./sim.");
  for (const analysis::DmaPairing& d : c.dmas) {
    const trace::ProfileRow& row = imported.profile.rows[d.row];
    text += fmt::format("  {:<18}{:>12}{:>10.2f}/{:.2f} us{:>15.0f}/{:.0f} ns\n",
                        fmt::format("{} pc {}", trace::name(row.engine), row.pc), d.bytes,
                        d.at.measured_start_ns / 1000, d.at.simulated_start_ns / 1000,
                        d.at.measured_duration_ns, d.at.simulated_duration_ns);
  }
  return text;
}

Json pairing_json(const Pairing& p) {
  return {{"measured_start_ns", p.measured_start_ns},
          {"measured_duration_ns", p.measured_duration_ns},
          {"simulated_start_ns", p.simulated_start_ns},
          {"simulated_duration_ns", p.simulated_duration_ns}};
}

Json row_json(const trace::ImportedProfile& imported, const analysis::RowPairing& pairing) {
  const trace::ProfileRow& row = imported.profile.rows[pairing.row];
  Json json{{"subgroup", trace::name(row.engine)},
            {"pc", row.pc},
            {"opcode", row.opcode},
            {"instruction", pairing.instruction}};
  json.update(pairing_json(pairing.at));
  return json;
}

}  // namespace

std::string compare_text(const trace::ImportedProfile& imported, const ProfileComparison& c,
                         const spec::LoadedSystem& system) {
  std::string text = fmt::format("profile {} replayed on {}\n\n", imported.profile.kernel,
                                 system.spec.name);
  text += fmt::format("  kernel span  measured {:.3f} us, simulated {:.3f} us, {}\n",
                      c.measured_ns / 1000, c.simulated_ns / 1000,
                      percent(ratio(c.simulated_ns, c.measured_ns)));
  text += engines_table(imported, c);
  text += fmt::format("  (drift: more than {:.2f} us early or late)\n", c.drift_limit_ns / 1000);
  text += opcodes_table(c);
  text += dmas_table(imported, c);
  return text;
}

Json compare_json(const trace::ImportedProfile& imported, const ProfileComparison& c,
                  const spec::LoadedSystem& system) {
  Json json{{"schema", kCompareSchema},
            {"profile", imported.profile.kernel},
            {"system", system.spec.name},
            {"config_hash", system.hash},
            {"measured_kernel_span_ns", c.measured_ns},
            {"simulated_kernel_span_ns", c.simulated_ns},
            {"measured_profile_total_ns", c.measured_total_ns},
            {"drift_limit_ns", c.drift_limit_ns}};
  for (const analysis::EngineComparison& e : c.engines) {
    Json engine{{"engine", trace::name(e.engine)},
                {"rows", e.rows},
                {"measured_busy_ns", e.measured_busy_ns},
                {"simulated_busy_ns", e.simulated_busy_ns},
                {"last_start_error_ns", e.last_start_error_ns},
                {"first_drift", e.drift ? row_json(imported, *e.drift) : Json()}};
    json["engines"].push_back(engine);
  }
  for (const analysis::OpcodeComparison& o : c.opcodes) {
    json["opcodes"].push_back({{"engine", trace::name(o.engine)},
                               {"opcode", o.opcode},
                               {"rows", o.rows},
                               {"measured_median_ns", o.measured_median_ns},
                               {"simulated_median_ns", o.simulated_median_ns},
                               {"median_error", o.median_error}});
  }
  for (const analysis::RowPairing& pairing : c.rows) {
    json["rows"].push_back(row_json(imported, pairing));
  }
  for (const analysis::DmaPairing& d : c.dmas) {
    const trace::ProfileRow& row = imported.profile.rows[d.row];
    Json dma{{"subgroup", trace::name(row.engine)}, {"pc", row.pc}, {"bytes", d.bytes}};
    dma.update(pairing_json(d.at));
    json["dmas"].push_back(dma);
  }
  return json;
}

void compare_csv(const trace::ImportedProfile& imported, const ProfileComparison& c,
                 std::ostream& out) {
  out << "engine,pc,opcode,measured_start_ns,measured_duration_ns,simulated_start_ns,"
         "simulated_duration_ns,start_error_ns\n";
  const auto line = [&out](const trace::ProfileRow& row, const std::string& opcode,
                           const Pairing& at) {
    out << fmt::format("{},{},{},{:.0f},{:.0f},{:.3f},{:.3f},{:.3f}\n", trace::name(row.engine),
                       row.pc, opcode, at.measured_start_ns, at.measured_duration_ns,
                       at.simulated_start_ns, at.simulated_duration_ns, at.start_error_ns());
  };
  for (const analysis::RowPairing& pairing : c.rows) {
    const trace::ProfileRow& row = imported.profile.rows[pairing.row];
    line(row, row.opcode, pairing.at);
  }
  for (const analysis::DmaPairing& dma : c.dmas) {
    line(imported.profile.rows[dma.row], "transfer", dma.at);
  }
}

}  // namespace trnsim::report
