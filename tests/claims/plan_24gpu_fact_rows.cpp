// What follows from the plan's dimensions and layout, no time involved.
//
// Ranks count tensor first, then expert, data and pipeline (Megatron's order): rank = tensor + 2
// expert + 4 data + 12 pipeline.
#include "claims/plan_24gpu_verdicts.hpp"

namespace rehearse::by_hand {
namespace {

using List = std::vector<double>;

Row row(const char* id, double (*found)(const Scene&), std::function<bool(double)> holds) {
  return {id, [found](const Scene& s) { return List{found(s)}; }, std::move(holds)};
}

Row list(const char* id, const List& found, std::function<bool(double)> holds) {
  return {id, [found](const Scene&) { return found; }, std::move(holds)};
}

// Members in their order; `claimed` is a list, too.
Row groups(const char* id, const List& found, const List& claimed) {
  const bool same = found == claimed;
  return {id, [found](const Scene&) { return found; }, [same](double) { return same; }};
}

double stage_weights(const Scene& s) { return weight_bytes(s); }
double two(const Scene&) { return 2; }
double sixteen(const Scene&) { return 16; }

std::vector<Row> hardware_rows() {
  return {
      // 400 TFLOP/s / FLOPs per token: as listed 0.235 G: 1,701 per ms; dense 20.1 G: 19.9; top-1
      // 1.45 G: 276.
      row(
          "impossible-100", [](const Scene& s) { return 400e12 / flops_per_token(s) / 1000; },
          below(100)),
      row(
          "sustained-2000tflops", [](const Scene& s) { return 100e3 * flops_per_token(s); },
          near(2e15, 1e14)),
      row(
          "peak-400", [](const Scene&) { return 400e12; }, exactly(400e12)),
      row(
          "effective-240", [](const Scene&) { return 240e12; }, exactly(240e12)),
      row(
          "memory-64gb", [](const Scene&) { return 64e9; }, exactly(64e9)),
      row(
          "bandwidth-1.44", [](const Scene&) { return 1.44e12; }, exactly(1.44e12)),
      row(
          "gpus-ample", [](const Scene&) { return 24.0; }, at_least(24)),
  };
}

std::vector<Row> model_rows() {
  return {
      // 0.302 G as listed, 9.999 G with 38,016 columns.
      row("parameters-10b", parameters, near(10e9, 1e8)),
      row("layers-16", sixteen, exactly(16)),
      row("experts-16", sixteen, exactly(16)),
      row("fp16", two, exactly(2)),
      row(
          "hidden-512", [](const Scene&) { return 512.0; }, exactly(512)),
      row(
          "heads-16x32", [](const Scene&) { return 512.0; }, exactly(512)),
      row(
          "expert-width-1024", [](const Scene& s) { return s.width; }, exactly(1024)),
      row(
          "weights-20gb", [](const Scene& s) { return 2 * parameters(s); }, near(20e9, 0.2e9)),
      row(
          "one-expert-active", [](const Scene& s) { return s.top_k; }, exactly(1)),
  };
}

std::vector<Row> batch_and_work_rows() {
  return {
      {"per-token-24kb", [](const Scene& s) { return List{activation_bytes(s) / kPrompt}; },
       near(24e3, 2.4e3), 1e-6},
      {"per-token-not-270kb", [](const Scene& s) { return List{activation_bytes(s) / kPrompt}; },
       below(270e3), 1e-6},
      row(
          "batch-128", [](const Scene&) { return 128.0; }, exactly(128)),
      row(
          "prompt-10240", [](const Scene&) { return 10240.0; }, exactly(10240)),
      row(
          "gpus-24-for-performance", [](const Scene& s) { return s.gpus(); }, exactly(24)),
      row(
          "capacity-240", [](const Scene&) { return 240e12; }, exactly(240e12)),
      row("flops-20g", flops_per_token, near(20e9, 1e9)),
      // 240 TFLOP/s: as listed 1,021 per ms, dense 11.9, top-1 166.
      row(
          "ceiling-12", [](const Scene& s) { return 240e12 / flops_per_token(s) / 1000; },
          near(12, 0.6)),
  };
}

std::vector<Row> layout_rows() {
  return {
      row(
          "data-3", [](const Scene&) { return 3.0; }, exactly(3)),
      row("pipeline-2", two, exactly(2)),
      row("tensor-2", two, exactly(2)),
      row("expert-2", two, exactly(2)),
      row(
          "gpus-24", [](const Scene& s) { return s.gpus(); }, exactly(24)),
      row("stages-2", two, exactly(2)),
      list("layers-8", List(24, 8), exactly(8)),
      // Four GPUs (2 tensor x 2 expert) hold a stage's experts once, its attention and embedding
      // twice: 10.1 GB of 38,016 columns, 0.37 GB as listed.
      {"stage-weights-10gb", [](const Scene& s) { return List{4 * stage_weights(s)}; },
       near(10e9, 0.2e9), 0.002},
      row("split-across-2", two, exactly(2)),
      list("heads-8", List(24, 8), exactly(8)),
  };
}

std::vector<Row> expert_rows() {
  return {
      // Half of each of 8 experts: 4 experts' worth.
      row(
          "experts-8-by-tensor", [](const Scene&) { return 4.0; }, exactly(8)),
      row(
          "hidden-256", [](const Scene&) { return 256.0; }, exactly(256)),
      row("expert-routing-2", two, exactly(2)),
      list("experts-8", List(24, 8), exactly(8)),
      // 2.52 GB and 92 MB, not 0.83 GB.
      {"weights-0.83gb", [](const Scene& s) { return List(24, stage_weights(s)); },
       near(0.83e9, 0.0083e9), 0.002},
      list("stage-layers-8", List(24, 8), exactly(8)),
      list("experts-8-per-gpu", List(24, 8), exactly(8)),
      row(
          "batch-128-sequences", [](const Scene&) { return 128.0; }, exactly(128)),
      // 128 over 6 replicas are 22 or 21 each: 4.8 %.
      row(
          "replica-variance-5", [](const Scene&) { return 22.0 / 21; }, below(1.05)),
  };
}

std::vector<Row> rank_and_group_rows() {
  return {
      // Ranks 0 to 11 are stage 0, 12 to 23 stage 1; four ranks are a replica of a stage.
      list("ranks-0-7-stage", List(8, 0), exactly(0)),
      list("ranks-0-7-data", {0, 0, 0, 0, 1, 1, 1, 1}, exactly(0)),
      list("ranks-8-15-stage", {0, 0, 0, 0, 1, 1, 1, 1}, exactly(1)),
      list("ranks-8-15-data", {2, 2, 2, 2, 0, 0, 0, 0}, exactly(0)),
      list("ranks-16-23-data", {1, 1, 1, 1, 2, 2, 2, 2}, exactly(1)),
      // Neighbours.
      groups("tp-groups", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}),
      // 12 apart, not 8.
      groups("pp-groups", {0, 12, 1, 13, 2, 14, 3, 15}, {0, 8, 1, 9, 2, 10, 3, 11}),
      // Pairs 2 apart.
      groups("ep-groups", {0, 2, 1, 3, 4, 6}, {0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14}),
      // 4 apart.
      groups("dp-groups", {0, 4, 8, 1, 5, 9, 2, 6, 10}, {0, 8, 16, 1, 9, 17, 2, 10, 18}),
  };
}

std::vector<Row> module_rows() {
  return {
      {"layout-weights-0.83gb", [](const Scene& s) { return List(24, stage_weights(s)); },
       near(0.83e9, 0.0083e9), 0.002},
      list("buffers-1gb", List(24, 1e9), exactly(1e9)),
      row("modules-layers-16", sixteen, exactly(16)),
      row(
          "modules-heads", [](const Scene&) { return 256.0; }, exactly(256)),
      row(
          "modules-experts", [](const Scene&) { return 256.0; }, exactly(256)),
      row("modules-stages", two, exactly(2)),
      // 8 layers, each with itself, 8 heads and 8 expert slices: 136.
      row(
          "modules-2.67", [](const Scene&) { return 136.0; }, near(2.67, 0.0267)),
      row(
          "modules-equal", [](const Scene&) { return 136.0; }, exactly(136)),
      // fault:D8 22 requests where the mean replica has 128 / 6: 3.1 % more requests and FLOPs. The
      // time (validation-compute-3) is 2.9 % more: decoding and the stages' ends are shared.
      row(
          "validation-compute-3.requests", [](const Scene&) { return 22.0 * 6 / 128; },
          below(1.03)),
      // fault:physically-feasible At the full peak: as listed 1,701, dense 19.9, top-1 276
      // tokens/ms.
      row(
          "physically-feasible", [](const Scene& s) { return 400e12 / flops_per_token(s) / 1000; },
          at_least(35)),
      // At the full peak: as listed 1,701, dense 19.9, top-1 276 tokens/ms.
      row(
          "optimum-50-60", [](const Scene& s) { return 400e12 / flops_per_token(s) / 1000; },
          between(50, 60)),
  };
}

}  // namespace

std::vector<Row> fact_rows() {
  return joined({hardware_rows(), model_rows(), batch_and_work_rows(), layout_rows(), expert_rows(),
                 rank_and_group_rows(), module_rows()});
}

}  // namespace rehearse::by_hand
