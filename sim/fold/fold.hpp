// Data-parallel replicas of the experts that are provably alike are simulated once. Replicas do not
// exchange anything in inference, so they meet only on links.
//
// They are alike when a permutation of links carries each replica's traffic onto any other's and
// maps all replicas' traffic onto itself: then every max-min fair rate, and so every date, is the
// same for all of them. This is checked route by route, between all members of all groups:
//   1. replica d's image of each link is one link, of the same bandwidth and sharing, and is no
//      other link's image; latencies and scale-up domains agree;
//   2. the replicas that meet on a link are as many on each of its images (a block);
//   3. the blocks of different links are nested, so that permuting blocks and the replicas inside
//      them is a symmetry of all links at once (a wreath product, transitive on the replicas).
// A link that b replicas share then carries b times the load of the one that is simulated.
#pragma once

#include <string>
#include <vector>

#include "cluster/cluster.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

struct Fold {
  Plan plan;            // to be simulated: of one replica, those ranks that have data coordinate 0;
                        // without a fold the whole plan
  int replicas = 1;     // alike, of which one is simulated; 1: no fold
  std::string why_not;  // when replicas is 1: "replicas serve 21 or 22 requests"
  std::vector<int> sharers;  // by link (Cluster::links): replicas that load it; beyond its end: 1
  // Of each link that the simulated replica uses: it, and then the links in its place for the
  // others, each once, so that each carries what it does.
  std::vector<std::vector<int>> alike_links;
};

// REQUIRES: check_layout passed.
Fold find_fold(const Plan& plan, const Model& model, Cluster& cluster);
Fold no_fold(const Plan& plan);

// Ranks of the programs of fold.plan, each on its GPU of the whole plan, and whom it stands for;
// `plan` is that whole plan.
void place_on_gpus(const Plan& plan, const Fold& fold, Programs& programs);

}  // namespace rehearse
