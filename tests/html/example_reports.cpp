#include "html/example_reports.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "html/run_page.hpp"
#include "html/service_page.hpp"
#include "metrics/result_json.hpp"
#include "metrics/service_by_hand.hpp"
#include "trace/small_runs.hpp"

namespace rehearse {
namespace {

constexpr const char* kHostile = "</script><script>document.title='owned'</script><!-- & \"q\"";

// Throughput in tokens/ms that a layout loses to bubbles and communication, as a shape to look at.
ReportCandidate candidate(int tensor, int pipeline, int data, int expert) {
  const int gpus = tensor * pipeline * data * expert;
  ReportCandidate made;
  for (const int each : {gpus, tensor, pipeline, data, expert}) {
    made.parameters.push_back(std::to_string(each));
  }
  const double efficiency = 1 / (1 + 0.05 * (tensor - 1) + 0.03 * (pipeline - 1) + 0.02 * expert);
  made.command = fmt::format(
      "rehearse run plan.textproto --set layout.tensor={} --set layout.pipeline={} "
      "--set layout.data={} --set layout.expert={}",
      tensor, pipeline, data, expert);
  if (tensor * expert == 1) {
    made.status = "failed";
    made.reason = "it took longer than 600 s";
    return made;
  }
  made.status = "simulated";
  const double rate = gpus * efficiency;
  made.values = {90.0 / rate + 0.1 * pipeline, 10 * rate, 1e6 * rate / (0.3 * gpus * gpus + 10)};
  return made;
}

// Of compute, different on every rank.
double busy_s(Rank rank, int step) { return 0.005 + 0.002 * ((rank * 7 + step * 3) % 1021) / 1021; }

bool beats(const ReportCandidate& a, const ReportCandidate& b) {
  return a.values[0] <= b.values[0] && a.values[1] >= b.values[1] && a.values[2] >= b.values[2] &&
         a.values != b.values;
}

void mark_front(std::vector<ReportCandidate>& candidates) {
  for (ReportCandidate& each : candidates) {
    each.on_front = !each.values.empty() &&
                    std::none_of(candidates.begin(), candidates.end(), [&](const auto& other) {
                      return !other.values.empty() && beats(other, each);
                    });
  }
}

}  // namespace

ReportClaims example_claims() {
  ReportClaims report;
  report.plan = std::string("example ") + kHostile;
  report.document = "claims.md";
  report.claims.push_back({"ttft",
                           12,
                           "TTFT <= 6 s",
                           "ttft_s.max <= 6s",
                           "holds",
                           "5.02 s is at most 6 s",
                           "the batch arrives at once",
                           "declared-dense",
                           "assumed",
                           "",
                           false,
                           "",
                           {"prefill: 4.9 s", "pipeline fill: 0.2 s"}});
  for (const char* const reading : {"as-listed", "declared-dense", "declared-top1"}) {
    report.claims.push_back({"rate",
                             14,
                             "35 tokens/ms per GPU",
                             "throughput.tokens_per_ms_per_gpu >= 35",
                             "refuted",
                             "9.79 is 72 % below 35",
                             "",
                             reading,
                             "nvlink",
                             "",
                             true,
                             "was holds",
                             {}});
    report.claims.push_back({"power",
                             20,
                             kHostile,
                             "",
                             "not modelled",
                             "power is not simulated",
                             "",
                             reading,
                             "assumed",
                             "pp-4",
                             false,
                             "",
                             {}});
  }
  report.claims.push_back({"experts",
                           31,
                           "16 experts, 2 of 24",
                           "experts == 24",
                           "inconsistent",
                           "the document says 16 in line 3",
                           "",
                           "",
                           "",
                           "",
                           true,
                           "",
                           {}});
  return report;
}

ReportSearch example_search() {
  ReportSearch report;
  report.plan = std::string("example ") + kHostile;
  report.parameters = {"gpus", "tensor", "pipeline", "data", "expert"};
  report.columns = {{"TTFT", "s", "ttft_s.p99", false, true},
                    {"tok/s", "1/ms", "throughput.tokens_per_s", true, true},
                    {"tok/$", "", "cost.tokens_per_dollar", true, false}};
  for (const int tensor : {1, 2, 4}) {
    for (const int pipeline : {1, 2, 4}) {
      for (int data = 1; data <= 5; ++data) {
        for (const int expert : {1, 2, 4}) {
          const int gpus = tensor * pipeline * data * expert;
          if (gpus < 16 || gpus > 40) continue;
          report.candidates.push_back(candidate(tensor, pipeline, data, expert));
        }
      }
    }
  }
  report.considered = 3 * 3 * 5 * 3;
  report.legal = static_cast<long long>(report.candidates.size());
  mark_front(report.candidates);
  std::stable_sort(report.candidates.begin(), report.candidates.end(),
                   [](const ReportCandidate& a, const ReportCandidate& b) {
                     if (a.values.empty() || b.values.empty()) {
                       return a.values.size() > b.values.size();
                     }
                     return a.values[1] > b.values[1];
                   });
  int rank = 0;
  for (ReportCandidate& each : report.candidates) {
    if (!each.values.empty()) each.rank = ++rank;
    each.is_plan = each.parameters == std::vector<std::string>{"24", "2", "2", "3", "2"};
  }
  report.candidates.front().run_page = "run_24.html";
  report.excluded = {{"tensor = 3 does not divide the 16 heads", 12}, {kHostile, 3}};
  return report;
}

std::string example_run_page(int ranks) {
  Programs programs = small_world(ranks, 1, 1);
  add_pass(programs, 0, Phase::kPrefill, 0, {0, 1});
  const int up = add_compute(programs, 0, std::string("L0 up ") + kHostile, OperatorClass::kGemm);
  const int sum = add_collective(programs, 0, "L0 sum", CollectiveOp::kAllReduce);
  constexpr int kSteps = 300;
  RunRecorder run;
  run.begin(programs);
  for (Rank rank = 0; rank < ranks; ++rank) {
    run.memory({rank, MemoryCategory::kWeights, {0}, {20e9}});
  }
  for (int step = 0; step < kSteps; ++step) {
    const double start = step * 0.01;
    for (Rank rank = 0; rank < ranks; ++rank) {
      const double busy = busy_s(rank, step);
      const double stall = step == 0 ? 0 : 0.01 - busy_s(rank, step - 1);
      Span span = compute_span(rank, up, start, start + busy);
      span.stall = {stall};
      span.stall_start_of_transfer = {start - 0.002};
      span.stalled_on = step == 0 ? Axis::kCount : Axis::kTensor;
      run.span(span);
      run.span(transfer_span(rank, sum, step, start + busy, start + 0.008, start + 0.0095));
      run.memory({rank, MemoryCategory::kKvCache, {start}, {1e8 * (step + 1)}});
    }
  }
  RoutingTotals routing;
  for (int layer = 0; layer < 4; ++layer) {
    std::vector<double>& loads = routing.expert_loads.emplace_back();
    for (int expert = 0; layer > 0 && expert < 16; ++expert) {
      loads.push_back(600 + (16 * layer + expert) * 37 % 900);
    }
  }
  run.routing(routing);
  run.end({kSteps * 0.01});
  const std::string result = fmt::format(
      R"({{"plan":"x","model":"example","platform":"none","variant":"","network":"fluid","seed":"1",
"version":"0","makespan_s":3,"ttft_s":{{"mean":1,"p50":1,"p90":1,"p99":1,"max":1}},
"throughput":{{"tokens_per_ms_per_gpu":1,"tokens_per_s":1000,"output_tokens_per_s_per_gpu":10}},
"utilization":{{"mfu":0.5,"hfu":0.6,"compute_busy_fraction":0.7,"bubble_fraction":0.1,"no_work_fraction":0.05}},
"communication":{{"total_over_compute":0.25,"exposed_fraction":0.1,"peer_wait_fraction":0.05,"by_axis":[
{{"axis":"tp","busy_s":0.45,"exposed_s":0.1,"bytes_per_rank":6e8}}]}},
"memory":{{"capacity_bytes":4e10,"usable_bytes":3.6e10,"peak_bytes":5e10,"fits":false,"binding_rank":0}}}})");
  return run_page(std::string("example ") + kHostile, result, run);
}

std::string example_service_page() {
  serving::ServiceSettings settings = serving::small_engine("vllm");
  settings.engines = 2;
  std::vector<serving::Offered> offered;
  offered.reserve(300);
  for (int i = 0; i < 300; ++i) {
    offered.push_back(serving::asks(8 + 11 * i % 40, 1 + 7 * i % 30, i * 16 * serving::kMs));
  }
  const serving::ServiceResult service = serving::serve_small(offered, settings);
  Plan plan = plan_of(offered);
  plan.serve->slo = Slo{Seconds{0.2}, Seconds{0.03}, 0.9};
  plan.serve->warm_up = Seconds{0.5};
  const ServiceFigures about = {2, settings.engine.kv_blocks, 2};
  const Metrics metrics = metrics_of_service(measure_service(plan, service, about), service, about);
  RunIdentity identity;
  identity.model = std::string("model ") + kHostile;
  return service_page(std::string("service ") + kHostile, result_json(identity, metrics), plan,
                      service);
}

}  // namespace rehearse
