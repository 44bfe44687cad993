#include "fold/equal_replicas.hpp"

#include <rapidcheck.h>

#include <vector>

#include "replay/small_cluster.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;
constexpr SmallLink kNic = {1e9, 1e-6};

}  // namespace

const std::string& draw_zone() {
  static const std::vector<std::string> kZones = {star(kGpus, kNic),
                                                  clique(kGpus, kNic),
                                                  two_fabrics(kGpus, 4, {20e9, 0.5e-6}, kNic),
                                                  two_fabrics(kGpus, 8, {20e9, 0.5e-6}, kNic),
                                                  trunks(12, 2, kNic, {1e9, 0.5e-6}),
                                                  trunks(8, 3, kNic, {1e9, 0.5e-6}),
                                                  trunks(6, 4, kNic, {2e9, 0.5e-6}),
                                                  trunks(3, 8, kNic, {2e9, 0.5e-6})};
  return kZones[*rc::gen::inRange<std::size_t>(0, kZones.size())];
}

RandomPlan draw_plan_of_equal_replicas() {
  RandomPlan drawn = draw_plan(kGpus);
  // Small clusters know no other peak.
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  const Layout& layout = drawn.plan.layout;
  Batch& batch = drawn.plan.batch;
  const int each = (batch.sequences + layout.dense_data() - 1) / layout.dense_data();
  batch.sequences = each * layout.dense_data();
  const NetworkLevelName levels[] = {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                     NetworkLevelName::kExact};
  drawn.plan.network = levels[*rc::gen::inRange(0, 3)];
  return drawn;
}

}  // namespace rehearse
