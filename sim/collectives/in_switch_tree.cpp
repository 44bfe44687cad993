// In-switch reduction inside every domain, double trees between them (NCCL's NVLSTree): the switch
// of a domain adds up, each of its g members takes 1/g of the sum through a double binary tree of
// the members of its place in the other domains, and the switch hands the result to all. Chunks are
// small, so all hops work at once:
//   time = 2 (1 + depth) x latency + bytes x max((1 + 1/g) inside, edges of the busiest domain in
//   both trees / (2 g) across) / bandwidth; where both go through one port, their sum.
#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/double_trees.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

Schedule schedule(const GroupShape& group, const Buffers& buffers) {
  const auto domains = members_by_domain(group);
  const auto places = static_cast<double>(domains.front().size());
  const Bytes buffer = largest(buffers.bytes);
  const DoubleTree tree = nccl_double_tree(static_cast<int>(domains.size()));
  Step all{1, along_edges(tree, domains, buffer / (2 * places))};
  const Step across{2 * tree.depth - 1, without_bytes(all.messages)};
  Step inside{2, {}};
  for (const std::vector<int>& members : domains) {
    for (std::size_t place = 0; place < members.size(); ++place) {
      const int next = members[(place + 1) % members.size()];
      all.messages.push_back({members[place], next, buffer * (1 + 1 / places)});
      inside.messages.push_back({members[place], next, Bytes{}});
    }
  }
  return {all, across, inside};
}

Seconds closed_form(const GroupShape& group, Bytes bytes, Seconds latency,
                    BytesPerSecond bandwidth) {
  const auto domains = members_by_domain(group);
  const auto places = static_cast<double>(domains.front().size());
  const DoubleTree tree = nccl_double_tree(static_cast<int>(domains.size()));
  const double load = 1 + 1 / places + tree.most_edges() / (2 * places);
  return latency * (2 * (1 + tree.depth)) + bytes * load / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kInSwitchTreeAllReduce = {
    "in_switch_tree", CollectiveOp::kAllReduce, false, refusal_of_lone_members, schedule,
    closed_form};

}  // namespace rehearse
