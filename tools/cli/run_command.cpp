#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/free_memory.hpp"
#include "input/digest.hpp"
#include "layout/layout.hpp"
#include "metrics/metrics.hpp"
#include "metrics/result_json.hpp"
#include "platform/check_platform_xml.hpp"
#include "platform/cluster.hpp"
#include "program/lower.hpp"
#include "replay/replay.hpp"
#include "report/summary.hpp"
#include "trace/chrome_trace.hpp"

namespace rehearse {
namespace {

// Passes every fact to two sinks.
class Both : public TimelineSink {
 public:
  Both(TimelineSink& first, TimelineSink& second) : first_(first), second_(second) {}
  void begin(const Programs& programs) override {
    first_.begin(programs);
    second_.begin(programs);
  }
  void span(const Span& span) override {
    first_.span(span);
    second_.span(span);
  }
  void memory(const MemoryLevel& level) override {
    first_.memory(level);
    second_.memory(level);
  }
  void end(Seconds makespan) override {
    first_.end(makespan);
    second_.end(makespan);
  }

 private:
  TimelineSink& first_;
  TimelineSink& second_;
};

void refuse_too_large(const Plan& plan, Bytes needed, Bytes limit) {
  if (needed.value <= limit.value) return;
  throw InputError(plan.where.at("layout"),
                   fmt::format("simulating this would need about {} of memory, the limit is {} "
                               "(--max-memory)",
                               to_text(needed), to_text(limit)));
}

void make_directory(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) {
    throw InputError({path, 1, 1}, "cannot create the directory: " + failure.message());
  }
}

// Under a temporary name first, so that no half-written file is ever seen under the real one.
void write_file(const std::string& path, const std::string& text) {
  const std::string partial = path + ".partial";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code failure;
  if (file) std::filesystem::rename(partial, path, failure);
  if (!file || failure) {
    std::error_code ignored;  // the write's failure is the one to report
    std::filesystem::remove(partial, ignored);
    throw InputError({path, 1, 1}, "cannot write the file");
  }
}

RunIdentity identity_of(const Plan& plan, const Model& model, const Options& options) {
  RunIdentity identity;
  identity.plan = plan.name;
  identity.model = model.name;
  identity.platform = plan.platform_path;
  identity.variant = plan.variant;
  identity.network = to_text(plan.network);
  identity.seed = plan.seed;
  std::vector<std::string> texts = {plan.variant, identity.network, std::to_string(plan.seed)};
  texts.insert(texts.end(), options.plan.sets.begin(), options.plan.sets.end());
  identity.inputs_sha256 =
      sha256_of({options.plan.path, plan.model_path, plan.platform_path}, texts);
  return identity;
}

TraceOptions trace_options(const Options& options, const RunIdentity& identity) {
  TraceOptions trace;
  trace.path = options.out + "/trace.json.gz";
  trace.title = identity.plan + (identity.variant.empty() ? "" : " " + identity.variant);
  if (!options.trace_ranks.empty()) trace.ranks = parse_trace_ranks(options.trace_ranks);
  if (!options.trace_window.empty()) trace.window = parse_trace_window(options.trace_window);
  return trace;
}

Bytes memory_limit(const Options& options) {
  if (options.max_memory.empty()) return free_memory();
  try {
    return parse_bytes(options.max_memory);
  } catch (const std::invalid_argument& error) {
    throw InputError({"--max-memory " + options.max_memory, 1, 1}, error.what());
  }
}

Metrics simulate(const Options& options, const Plan& plan, const Model& model,
                 const RunIdentity& identity) {
  const Bytes limit = memory_limit(options);
  constexpr double kBytesPerHost =
      10e3;  // SimGrid's host, link and routes, as measured at 16,384 hosts
  refuse_too_large(
      plan, {kBytesPerHost * static_cast<double>(check_platform_xml(plan.platform_path).hosts)},
      limit);
  Cluster cluster = load_cluster(plan.platform_path);
  const Platform& platform = cluster.platform();
  check_layout(plan, model, static_cast<int>(platform.gpus.size()), plan.platform_path);
  const Programs programs = lower(model, plan);
  refuse_too_large(plan, estimate_memory(programs), limit);

  Measure measure(model, plan, platform);
  if (options.out.empty()) {
    replay(programs, cluster, plan.network, measure);
    return measure.metrics();
  }
  make_directory(options.out);
  ChromeTrace trace(trace_options(options, identity));
  Both sinks(measure, trace);
  replay(programs, cluster, plan.network, sinks);
  return measure.metrics();
}

}  // namespace

int run_command(const Options& options) {
  const Plan plan = read_plan(options.plan);
  const Model model = read_model(plan.model_path, plan.model_sets);
  const RunIdentity identity = identity_of(plan, model, options);
  const Metrics metrics = simulate(options, plan, model, identity);

  const std::string json = result_json(identity, metrics);
  if (!options.out.empty()) write_file(options.out + "/result.json", json);
  if (options.json) {
    fmt::print("{}", json);
  } else if (!options.quiet) {
    fmt::print("{}", summary(identity, plan, metrics, options.explain));
  }
  const std::string verdict = memory_verdict(metrics.memory);
  if (!verdict.empty() && (options.json || options.quiet)) fmt::print(stderr, "{}\n", verdict);
  return metrics.memory.fits ? 0 : 1;
}

}  // namespace rehearse
