// Keys and values on their way from prefill replicas to decode replicas over the platform's links,
// where they share NICs, leaves and spines max-min fairly with each other: RDMA reads and writes,
// without a kernel on either side.
//
// Of network links they reach what all transfers together reach of them (reached_of_network), of
// the links inside a scale-up domain the rate. Not modelled: what they take from collectives and
// these from them, and what an engine does before it posts a transfer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <utility>
#include <vector>

#include "cluster/cluster.hpp"
#include "model/model.hpp"
#include "network/paths.hpp"
#include "plan/layout.hpp"
#include "service/kv_shares.hpp"
#include "serving/kv_links.hpp"

namespace rehearse {

// Where replicas of a pool are.
struct KvPool {
  Layout layout;
  int ranks = 1;  // replicas of an engine: those that share experts
  int first_gpu = 0;
  bool drafts = false;  // by the model's own prediction, whose keys and values are kept
};

class KvFlows : public serving::KvLinks {
 public:
  // Model and cluster outlive it. REQUIRES: the pools fit on the platform.
  KvFlows(const Model& model, Cluster& cluster, KvPool prefill, KvPool decode);

  void start(serving::Picoseconds now, int transfer, int from, int to,
             const serving::KvPart& part) override;
  serving::Picoseconds next_end() const override { return next_; }
  void end(std::vector<int>& done) override;

 private:
  // Between two GPUs.
  struct Way {
    FlowPath flow;
    Seconds latency;
  };
  // A flow whose first byte is on its way.
  struct Start {
    double date = 0;
    std::uint64_t order = 0;
    int transfer = 0;
    const Way* way = nullptr;
    double bytes = 0;

    bool operator>(const Start& other) const {
      return date > other.date || (date == other.date && order > other.order);
    }
  };
  using Ways = std::vector<Way>;  // of shares_

  const Ways& ways_between(int from, int to);
  Way way_between(int from_gpu, int to_gpu);
  void ended(int transfer, std::vector<int>& done);
  void look_ahead();

  const Platform& platform_;
  const KvPool prefill_;
  const KvPool decode_;
  const std::vector<KvShare> shares_;
  FluidNetwork network_;
  Paths paths_;
  std::map<std::pair<int, int>, Ways> ways_;  // by replicas
  std::priority_queue<Start, std::vector<Start>, std::greater<>> starts_;
  std::uint64_t started_ = 0;
  std::vector<int> flows_left_;  // by transfer
  std::vector<int> of_nothing_;  // transfers
  double now_ = 0;               // as far as the network is worked out
  double next_date_ = 0;
  serving::Picoseconds told_ = 0;  // the last date that engines have said or heard
  serving::Picoseconds next_ = serving::kNever;
};

// That go with so much of a sequence.
Bytes bytes_of(const SequenceCache& cache, const serving::KvPart& part);
// Of a sequence of so many tokens, to all ranks that decode it.
Bytes sent_bytes(const std::vector<KvShare>& shares, std::int64_t tokens);

}  // namespace rehearse
