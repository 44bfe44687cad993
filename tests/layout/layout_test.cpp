// Groups, shares and stages of layouts small enough to write out.
#include "layout/layout.hpp"

#include <gtest/gtest.h>

namespace rehearse {

bool operator==(const Share& a, const Share& b) { return a.first == b.first && a.count == b.count; }

namespace {

using Ranks = std::vector<Rank>;

std::vector<Ranks> groups_of(const Layout& layout, Axis axis) {
  std::vector<Ranks> result;
  for (const ProcessGroup& group : build_groups(layout).groups) {
    if (group.axis == axis) result.push_back(group.ranks);
  }
  return result;
}

// tp2 ep2 dp2 pp1 in the default order: rank = tensor + 2 (expert + 2 data).
Layout eight_ranks() {
  Layout layout;
  layout.tensor = layout.expert = layout.data = 2;
  return layout;
}

TEST(ProcessGroups, OfEightRanks) {
  const Layout layout = eight_ranks();
  EXPECT_EQ(groups_of(layout, Axis::kTensor), (std::vector<Ranks>{{0, 1}, {2, 3}, {4, 5}, {6, 7}}));
  EXPECT_EQ(groups_of(layout, Axis::kExpert), (std::vector<Ranks>{{0, 2}, {1, 3}, {4, 6}, {5, 7}}));
  EXPECT_EQ(groups_of(layout, Axis::kPipeline).size(), 8u);  // groups of one
  // Dense weights: data x expert = 4 replicas; the experts: data = 2.
  EXPECT_EQ(groups_of(layout, Axis::kData), (std::vector<Ranks>{{0, 2, 4, 6}, {1, 3, 5, 7}}));
  EXPECT_EQ(groups_of(layout, Axis::kExpertData),
            (std::vector<Ranks>{{0, 4}, {1, 5}, {2, 6}, {3, 7}}));
}

TEST(ProcessGroups, WholeExpertsSpreadOverTheTensorRanksToo) {
  Layout layout = eight_ranks();
  layout.expert_tensor = 1;
  EXPECT_EQ(expert_tensor_degree(layout), 1);
  EXPECT_EQ(expert_group_size(layout), 4);
  EXPECT_EQ(groups_of(layout, Axis::kExpert), (std::vector<Ranks>{{0, 1, 2, 3}, {4, 5, 6, 7}}));
  EXPECT_EQ(groups_of(layout, Axis::kExpertData),
            (std::vector<Ranks>{{0, 4}, {1, 5}, {2, 6}, {3, 7}}));
}

TEST(ProcessGroups, PipelineGroupsAreInStageOrderInEveryOrder) {
  Layout layout;
  layout.tensor = 2;
  layout.pipeline = 3;
  EXPECT_EQ(groups_of(layout, Axis::kPipeline), (std::vector<Ranks>{{0, 2, 4}, {1, 3, 5}}));
  layout.order = "pp-tp-cp-ep-dp";
  EXPECT_EQ(groups_of(layout, Axis::kPipeline), (std::vector<Ranks>{{0, 1, 2}, {3, 4, 5}}));
}

TEST(ExpertDegrees, FollowTheTensorDegreeUnlessOne) {
  Layout layout = eight_ranks();
  EXPECT_EQ(expert_tensor_degree(layout), 2);
  EXPECT_EQ(expert_group_size(layout), 2);
  layout.expert_tensor = 2;
  EXPECT_EQ(expert_tensor_degree(layout), 2);
  EXPECT_EQ(expert_group_size(layout), 2);
}

TEST(Share, OfTheShippedPlansSequences) {
  EXPECT_EQ(share_of(128, 3, 0), (Share{0, 43}));
  EXPECT_EQ(share_of(128, 3, 1), (Share{43, 43}));
  EXPECT_EQ(share_of(128, 3, 2), (Share{86, 42}));
  // 128 = 6 x 21 + 2: the first two replicas have 22.
  EXPECT_EQ(share_of(128, 6, 1), (Share{22, 22}));
  EXPECT_EQ(share_of(128, 6, 2), (Share{44, 21}));
  EXPECT_EQ(share_of(128, 6, 5), (Share{107, 21}));
  EXPECT_EQ(share_of(2, 3, 2), (Share{2, 0}));
}

TEST(ChunksOfRank, AreEveryNthStage) {
  Layout layout;
  layout.pipeline = 2;
  layout.virtual_stages = 2;
  // 10 layers in 4 stages: 3, 3, 2, 2; rank 0 has the first and the third.
  EXPECT_EQ(chunks_of_rank(layout, 10, 0), (std::vector<Share>{{0, 3}, {6, 2}}));
  EXPECT_EQ(chunks_of_rank(layout, 10, 1), (std::vector<Share>{{3, 3}, {8, 2}}));
}

TEST(StageLayers, AreEvenWithTheRemainderInFrontOrAsThePlanSays) {
  Layout layout;
  layout.pipeline = 3;
  EXPECT_EQ(stage_layers(layout, 16), (std::vector<Share>{{0, 6}, {6, 5}, {11, 5}}));
  layout.layers_per_stage = {2, 10, 4};
  EXPECT_EQ(stage_layers(layout, 16), (std::vector<Share>{{0, 2}, {2, 10}, {12, 4}}));
}

TEST(DecodeMicroBatches, AreThePlansOrThePipelineDegree) {
  Plan plan;
  plan.layout.pipeline = 4;
  plan.layout.data = 2;
  plan.batch.sequences = 20;
  EXPECT_EQ(decode_micro_batches(plan), 4);
  plan.batch.sequences = 5;  // 3 on the fuller replica
  EXPECT_EQ(decode_micro_batches(plan), 3);
  plan.batch.decode_micro_batches = 2;
  EXPECT_EQ(decode_micro_batches(plan), 2);
}

}  // namespace
}  // namespace rehearse
