// The programs of a small plan, instruction by instruction.
#include <gtest/gtest.h>

#include "golden_text.hpp"
#include "graph/small_models.hpp"
#include "program/lower.hpp"

namespace rehearse {
namespace {

// Two stages of one dense layer, two tensor ranks, two requests prefilled one by one and decoded
// together for three steps: the last stage tells the first its tokens after every step but the
// last, whose tokens go nowhere.
TEST(ProgramGolden, TwoStagesWithDecode) {
  Plan plan;
  plan.layout.tensor = 2;
  plan.layout.pipeline = 2;
  plan.batch = {.sequences = 2,
                .prompt_tokens = 3,
                .output_tokens = 4,
                .micro_batches = 2,
                .decode_micro_batches = 1};
  expect_golden("program_two_stages", dump(lower(small_dense_model(2), plan)));
}

}  // namespace
}  // namespace rehearse
