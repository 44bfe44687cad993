// Programs x Cluster -> facts of the timeline: one SimGrid actor per rank executes its program.
//
// An actor runs ahead: compute only advances the rank's own clock, because nothing else can delay
// it; the actor meets the engine when it needs the result of communication. See README.md beside
// this file.
#pragma once

#include "base/progress.hpp"
#include "cluster/cluster.hpp"
#include "network/network_level.hpp"
#include "program/program.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

struct ReplayCounts {
  std::int64_t rank_operations =
      0;  // compute, collective, send and receive instructions executed, over all ranks; also a
          // move of experts where there is none to move
  std::int64_t transfers = 0;
  NetworkDoubt doubt;
};

// Ranks run on their GPUs of the platform (RankEntry::gpu). `sharers`: by link (Cluster::links),
// how many times it is loaded, because so many replicas like this one share it; beyond its end
// once. `progress`: counts rank operations as they go. Calls sink.begin first, sink.end last.
// Throws InputError (a missing route), or Deadlock naming the ranks that wait and on what.
ReplayCounts replay(const Programs& programs, Cluster& cluster, NetworkLevelName level,
                    TimelineSink& sink, const std::vector<int>& sharers = {},
                    ProgressCounter* progress = nullptr);

// What a replay will need, before anything is allocated: actors' stacks, rank states, programs.
Bytes estimate_memory(const Programs& programs);

}  // namespace rehearse
