// fault:U3: which field a verdict names. A dense model on one GPU whose terms are counted by
// program/memory_need (tests/program holds that to the lowered program).
#include "metrics/memory_advice.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "graph/small_models.hpp"
#include "layout/memory_rule.hpp"
#include "program/memory_need.hpp"

namespace rehearse {
namespace {

class Advice {
 public:
  Advice() {
    plan.layout = {};
    plan.batch.sequences = 8;
    plan.batch.prompt_tokens = 64;
    plan.memory_fraction = 1;
  }

  MemoryNeed need(const Plan& at) const {
    return highest_need(model, at, 0,
                        share_of(at.batch.sequences, at.layout.dense_data(), 0).count);
  }

  // On a GPU that has just what `enough` needs.
  std::string where_just_fits(const Plan& enough) const {
    const MemoryNeed now = need(plan);
    MemoryPeak peak;
    peak.capacity_bytes = peak.usable_bytes = need(enough).sum().value;
    peak.peak_bytes = now.sum().value;
    peak.bytes = {now.weights.value, now.kv_cache.value, now.activations.value,
                  now.communication_buffers.value};
    return memory_advice(model, plan, peak);
  }

  Model model = small_dense_model(4);
  Plan plan = small_plan();
};

TEST(MemoryAdvice, NamesThePassesWhereSmallerOnesFit) {
  Advice at;
  Plan enough = at.plan;
  // Four passes of 2 of the 8 requests. Three of 3, 3 and 2 do as well: the last one has as many
  // requests beside the full KV cache, and the second one more activations beside 6 / 8 of it.
  enough.batch.micro_batches = 4;
  const MemoryNeed now = at.need(at.plan);
  EXPECT_EQ(at.where_just_fits(enough),
            fmt::format("activations {}: batch.micro_batches=3 would make it {}",
                        to_text(now.activations), to_text(at.need(enough).sum())));
}

TEST(MemoryAdvice, NamesTheRequestsWhereNoPassIsSmallEnough) {
  Advice at;
  at.model.kv_dtype = Dtype::kFp8;  // cannot be smaller
  Plan enough = at.plan;
  enough.batch.sequences = 3;
  at.plan.batch.micro_batches = 8;
  enough.batch.micro_batches = 3;
  EXPECT_EQ(at.where_just_fits(enough),
            fmt::format("kv_cache {}: batch.sequences=3 would make it {}",
                        to_text(at.need(at.plan).kv_cache), to_text(at.need(enough).sum())));
}

TEST(MemoryAdvice, NamesMoreGpusForWeights) {
  Advice at;
  at.plan.batch.sequences = 1;
  at.plan.batch.prompt_tokens = 1;
  Plan enough = at.plan;
  enough.layout.tensor = 2;
  EXPECT_EQ(at.where_just_fits(enough),
            fmt::format("weights {}: layout.tensor=2 (2 GPUs) would make it {}",
                        to_text(at.need(at.plan).weights), to_text(at.need(enough).sum())));
}

TEST(MemoryAdvice, NamesTheBuffersWhereTheyAreTooLarge) {
  Advice at;
  at.plan.batch.sequences = 1;
  at.plan.communication_buffers = Bytes{50e6};
  Plan enough = at.plan;
  enough.communication_buffers = Bytes{20e6};
  EXPECT_EQ(
      at.where_just_fits(enough),
      fmt::format("communication_buffers 50.0 MB: communication_buffers=20MB would make it {}",
                  to_text(at.need(enough).sum())));
}

}  // namespace
}  // namespace rehearse
