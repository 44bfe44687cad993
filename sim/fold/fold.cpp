#include "fold/fold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "layout/layout.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

Layout layout_of_one(const Layout& layout) {
  Layout one = layout;
  one.data = 1;
  return one;
}

// Its ranks are those with data coordinate 0, its requests a share.
Plan plan_of_one(const Plan& plan) {
  Plan one = plan;
  one.layout = layout_of_one(plan.layout);
  one.batch.sequences /= plan.layout.data;
  // The default depends on the requests of a replica, and these are the same.
  one.batch.decode_micro_batches = decode_micro_batches(plan);
  return one;
}

// For each replica, the number of the block that it is in; blocks are numbered as they appear.
using Partition = std::vector<int>;

Partition partition_of(const std::vector<int>& images) {
  Partition partition;
  std::map<int, int> block_of;
  for (const int image : images) {
    partition.push_back(
        block_of.try_emplace(image, static_cast<int>(block_of.size())).first->second);
  }
  return partition;
}

int blocks_in(const Partition& partition) {
  return *std::max_element(partition.begin(), partition.end()) + 1;
}

bool has_equal_blocks(const Partition& partition) {
  std::vector<std::size_t> size(blocks_in(partition), 0);
  for (const int block : partition) ++size[block];
  return std::count(size.begin(), size.end(), size.front()) ==
         static_cast<std::ptrdiff_t>(size.size());
}

bool refines(const Partition& fine, const Partition& coarse) {
  std::vector<int> block_above(blocks_in(fine), -1);
  for (std::size_t replica = 0; replica < fine.size(); ++replica) {
    int& above = block_above[fine[replica]];
    if (above < 0) above = coarse[replica];
    if (above != coarse[replica]) return false;
  }
  return true;
}

bool are_nested(const std::set<Partition>& partitions) {
  std::vector<Partition> by_blocks(partitions.begin(), partitions.end());
  std::stable_sort(by_blocks.begin(), by_blocks.end(), [](const Partition& a, const Partition& b) {
    return blocks_in(a) > blocks_in(b);
  });
  for (std::size_t at = 1; at < by_blocks.size(); ++at) {
    if (!refines(by_blocks[at - 1], by_blocks[at])) return false;
  }
  return true;
}

class Symmetry {
 public:
  Symmetry(const Layout& layout, Cluster& cluster)
      : cluster_(cluster), replicas_(layout.data), groups_(build_groups(layout_of_one(layout))) {
    const RankGrid all(layout);
    const RankGrid one(layout_of_one(layout));
    gpu_.resize(one.size());
    for (Rank rank = 0; rank < one.size(); ++rank) {
      Coordinates at = one.coordinates(rank);
      for (at.data = 0; at.data < replicas_; ++at.data) gpu_[rank].push_back(all.rank(at));
    }
  }

  bool holds() {
    for (const std::vector<int>& gpus : gpu_) {
      for (const int gpu : gpus) {
        if (cluster_.platform().gpus[gpu].device != cluster_.platform().gpus[gpus[0]].device) {
          return false;
        }
      }
    }
    for (const ProcessGroup& group : groups_.groups) {
      const bool inside = group.axis == Axis::kTensor || group.axis == Axis::kExpert ||
                          group.axis == Axis::kPipeline;
      if (inside && !group_is_alike(group)) return false;
    }
    return blocks_are_nested();
  }

  std::vector<int> sharers() const {
    std::vector<int> result(cluster_.links().size(), 1);
    for (const LinkClass& links : classes_) {
      if (!cluster_.links()[links.images[0]].shared) continue;
      result[links.images[0]] =
          static_cast<int>(std::count(links.images.begin(), links.images.end(), links.images[0]));
    }
    return result;
  }

  // What is asked last: the classes are spent.
  std::vector<std::vector<int>> take_alike_links() {
    std::vector<std::vector<int>> result;
    result.reserve(classes_.size());
    for (LinkClass& links : classes_) {
      std::vector<int>& alike = result.emplace_back(std::move(links.images));
      std::sort(alike.begin() + 1, alike.end());
      alike.erase(std::unique(alike.begin() + 1, alike.end()), alike.end());
      if (alike.size() > 1 && alike[1] == alike[0]) alike.erase(alike.begin() + 1);
    }
    classes_.clear();
    return result;
  }

 private:
  // A link that replica 0 uses, and what is in its place for the others.
  struct LinkClass {
    std::vector<int> images;  // by replica; -1: not known yet
  };

  bool group_is_alike(const ProcessGroup& group) {
    for (const Rank from : group.ranks) {
      for (const Rank to : group.ranks) {
        if (from != to && !pair_is_alike(from, to)) return false;
      }
    }
    return true;
  }

  bool same_domain(Rank from, Rank to, int replica) const {
    const std::vector<Gpu>& gpus = cluster_.platform().gpus;
    return gpus[gpu_[from][replica]].domain == gpus[gpu_[to][replica]].domain;
  }

  bool pair_is_alike(Rank from, Rank to) {
    const Route first = cluster_.route(gpu_[from][0], gpu_[to][0]);
    for (int replica = 0; replica < replicas_; ++replica) {
      const Route& route = cluster_.route(gpu_[from][replica], gpu_[to][replica]);
      if (route.latency.value != first.latency.value || route.links.size() != first.links.size() ||
          same_domain(from, to, replica) != same_domain(from, to, 0)) {
        return false;
      }
      for (std::size_t at = 0; at < first.links.size(); ++at) {
        if (!is_image(first.links[at], route.links[at], replica)) return false;
      }
    }
    return true;
  }

  int& class_of(int link) {
    if (link >= static_cast<int>(class_of_link_.size())) {
      class_of_link_.resize(cluster_.links().size(), -1);
    }
    return class_of_link_[link];
  }

  bool is_image(int link, int image, int replica) {
    const Link& a = cluster_.links()[link];
    const Link& b = cluster_.links()[image];
    if (a.bandwidth.value != b.bandwidth.value || a.shared != b.shared) return false;
    if (class_of(link) < 0) {
      class_of(link) = static_cast<int>(classes_.size());
      classes_.push_back({std::vector<int>(replicas_, -1)});
      classes_.back().images[0] = link;
    }
    const int known = class_of(link);
    if (class_of(image) < 0) class_of(image) = known;
    int& at = classes_[known].images[replica];
    if (at < 0) at = image;
    return classes_[known].images[0] == link && class_of(image) == known && at == image;
  }

  bool blocks_are_nested() const {
    std::set<Partition> partitions;
    for (const LinkClass& links : classes_) {
      if (cluster_.links()[links.images[0]].shared) {
        partitions.insert(partition_of(links.images));
      }
    }
    return std::all_of(partitions.begin(), partitions.end(), has_equal_blocks) &&
           are_nested(partitions);
  }

  Cluster& cluster_;
  const int replicas_;
  const ProcessGroups groups_;         // of one replica
  std::vector<std::vector<int>> gpu_;  // [rank of one replica][replica]
  std::vector<LinkClass> classes_;
  std::vector<int> class_of_link_;
};

}  // namespace

Fold no_fold(const Plan& plan) {
  Fold none;
  none.plan = plan;
  return none;
}

Fold find_fold(const Plan& plan, const Model& model, Cluster& cluster) {
  const int replicas = plan.layout.data;
  const auto not_folded = [&plan](std::string why_not) {
    Fold none = no_fold(plan);
    none.why_not = std::move(why_not);
    return none;
  };
  if (replicas == 1) return not_folded("there is one replica of the experts");
  if (routes_tokens(plan, model)) return not_folded("tokens choose other experts in each replica");
  if (plan.serve) return not_folded("engines serve other requests");
  if (plan.batch.lengths.given) return not_folded("replicas serve requests of other lengths");
  if (plan.network == NetworkLevelName::kSimgrid) {
    return not_folded("the simgrid network level knows no shares of links");
  }
  const int dense = plan.layout.dense_data();
  if (plan.batch.sequences % dense != 0) {
    return not_folded(fmt::format("{} requests do not divide into {} replicas evenly",
                                  plan.batch.sequences, dense));
  }
  Symmetry symmetry(plan.layout, cluster);
  if (!symmetry.holds()) return not_folded("the fabric does not serve all replicas alike");
  Fold fold;
  fold.plan = plan_of_one(plan);
  fold.replicas = replicas;
  fold.sharers = symmetry.sharers();
  fold.alike_links = symmetry.take_alike_links();
  return fold;
}

void place_on_gpus(const Plan& plan, const Fold& fold, Programs& programs) {
  if (fold.replicas == 1) return;
  const RankGrid all(plan.layout);
  const RankGrid one(fold.plan.layout);
  for (Rank rank = 0; rank < one.size(); ++rank) {
    programs.ranks[rank].gpu = all.rank(one.coordinates(rank));
  }
  programs.image_of.clear();
  programs.image_of.reserve(all.size());
  for (Rank rank = 0; rank < all.size(); ++rank) {
    Coordinates at = all.coordinates(rank);
    at.data = 0;
    programs.image_of.push_back(one.rank(at));
  }
}

}  // namespace rehearse
