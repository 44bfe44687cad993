#include "simulation/collective_run.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

#include "base/error.hpp"
#include "network/lone_transfers.hpp"
#include "network/network_level.hpp"
#include "program/program.hpp"
#include "replay/rendezvous.hpp"
#include "replay/replay.hpp"
#include "replay/time_estimate.hpp"
#include "simulation/limits.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {
namespace {

bool buffer_is_a_shard(CollectiveOp op) {
  return op == CollectiveOp::kAllGather || op == CollectiveOp::kGather ||
         op == CollectiveOp::kScatter;
}

// Of an all_to_all that every member splits by the same weights: what the busiest port sends or
// receives, over the buffer's size. With even splits (n - 1) / n.
double busiest_port(const std::vector<double>& splits) {
  const double members = static_cast<double>(splits.size());
  const double sum = std::accumulate(splits.begin(), splits.end(), 0.0);
  double most = 0;
  for (const double weight : splits) {
    const double share = weight / sum;  // a member keeps its own share of its own buffer
    most = std::max({most, 1 - share, (members - 1) * share});
  }
  return most;
}

// The tensor groups run the operation; the data group, which is everybody, keeps the sizes apart.
ProcessGroups groups_of(const CollectiveRequest& request) {
  const int members = request.ranks / request.groups;
  ProcessGroups groups;
  groups.of_rank.resize(request.ranks);
  groups.groups.resize(request.groups + 1);
  ProcessGroup& all = groups.groups.back();
  all.axis = Axis::kData;
  for (Rank rank = 0; rank < request.ranks; ++rank) {
    const int group = request.strided ? rank % request.groups : rank / members;
    groups.groups[group].axis = Axis::kTensor;
    groups.groups[group].ranks.push_back(rank);
    all.ranks.push_back(rank);
    groups.of_rank[rank].fill(request.groups);
    groups.of_rank[rank][static_cast<int>(Axis::kTensor)] = group;
  }
  return groups;
}

Instruction collective(Axis axis, CollectiveOp op, double bytes, int slot) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kCollective;
  instruction.axis = axis;
  instruction.op = op;
  instruction.stream = Stream::kTensor;
  instruction.bytes.base = bytes;
  instruction.slot = slot;
  instruction.name = 0;
  return instruction;
}

Programs programs_of(const CollectiveRequest& request) {
  const int members = request.ranks / request.groups;
  Programs programs;
  programs.names = {to_text(request.op)};
  programs.groups = groups_of(request);
  programs.collectives = request.use;
  PassProgram pass;
  for (const Bytes size : request.sizes) {
    const Bytes buffer = buffer_of(request.op, size, members);
    pass.instructions.push_back(collective(Axis::kTensor, request.op, buffer.value, pass.slots++));
    pass.instructions.back().fan_out = request.fan_out;
    if (!request.splits.empty()) {
      pass.instructions.back().splits = static_cast<std::int32_t>(pass.splits.size());
      pass.splits.push_back(splits_of(request, size));
    }
    if (request.groups > 1) {
      pass.instructions.push_back(collective(Axis::kData, CollectiveOp::kBarrier, 0, pass.slots++));
    }
  }
  pass.places.push_back({0, static_cast<int>(pass.instructions.size()), Place::kOutside, 1});
  Program program;
  program.slots = pass.slots;
  program.actions.emplace_back();
  program.loops.push_back({0, 1, 1, 0});
  programs.passes.push_back(std::move(pass));
  programs.programs.push_back(std::move(program));
  programs.ranks.resize(request.ranks);
  for (Rank rank = 0; rank < request.ranks; ++rank) programs.ranks[rank].gpu = rank;
  return programs;
}

struct Measured {
  Seconds time;
  const CollectiveAlgorithm* algorithm = nullptr;
  std::string_view protocol;
  int channels = 0;
  double may_overlap = 0;
  Seconds least;  // of a group
};

// Times of the measured collectives, by instruction.
class Stopwatch : public TimelineSink {
 public:
  explicit Stopwatch(NetworkLevelName level) : fluid_(level == NetworkLevelName::kFluid) {}

  void begin(const Programs& programs) override { programs_ = &programs; }

  void span(const Span& span) override {
    const Instruction& at = instruction_of(*programs_, span);
    if (at.axis != Axis::kTensor) return;
    Measured& measured = by_instruction_[span.instruction];
    const Seconds time = span.end - span.start;
    measured.least = measured.algorithm == nullptr ? time : std::min(measured.least, time);
    measured.time = std::max(measured.time, time);
    measured.algorithm = span.path->algorithm;
    measured.protocol = span.path->protocol;
    measured.channels = span.path->channels;
    if (!fluid_) return;
    if (time > span.path->alone({at.bytes.base}) * kContends) {
      measured.may_overlap = std::max(measured.may_overlap, span.path->later_latency / time);
    }
  }

  const std::map<int, Measured>& by_instruction() const { return by_instruction_; }

 private:
  const bool fluid_;
  const Programs* programs_ = nullptr;
  std::map<int, Measured> by_instruction_;
};

}  // namespace

Seconds estimate_pricing(CollectiveOp op, int ranks) {
  ReplayWork work;
  work.ranks = ranks;
  if (op == CollectiveOp::kAllToAll) work.pairs = work.ranks * work.ranks;
  return estimate_time(work, NetworkLevelName::kFluid);
}

Bytes buffer_of(CollectiveOp op, Bytes size, int members) {
  return buffer_is_a_shard(op) ? size / members : size;
}

double busbw_factor(CollectiveOp op, int members) {
  const double n = members;
  switch (op) {
    case CollectiveOp::kAllReduce:
      return 2 * (n - 1) / n;
    case CollectiveOp::kBroadcast:
    case CollectiveOp::kReduce:
    case CollectiveOp::kSendRecv:
      return 1;
    default:
      return (n - 1) / n;
  }
}

std::vector<Bytes> splits_of(const CollectiveRequest& request, Bytes size) {
  const double sum = std::accumulate(request.splits.begin(), request.splits.end(), 0.0);
  std::vector<Bytes> to_member;
  for (const double weight : request.splits) to_member.push_back(size * (weight / sum));
  return to_member;
}

std::vector<std::vector<int>> gpus_by_group(const CollectiveRequest& request) {
  std::vector<std::vector<int>> gpus;
  for (const ProcessGroup& group : groups_of(request).groups) {
    if (group.axis == Axis::kTensor) gpus.push_back(group.ranks);
  }
  return gpus;
}

std::string collective_refusal(const CollectiveRequest& request, const Platform& platform) {
  const CollectiveAlgorithm* const named = request.use.algorithms[static_cast<int>(request.op)];
  if (named == nullptr) return {};
  for (const std::vector<int>& group : gpus_by_group(request)) {
    std::string refusal = named->refusal(shape_of(group, platform));
    if (!refusal.empty()) return refusal;
  }
  return {};
}

namespace {

// A collective that has the network to itself takes what its path says: an actor for each rank
// would only wait for it, and costs more than all else.
bool has_network_alone(const CollectiveRequest& request) {
  return request.groups == 1 && (request.network == NetworkLevelName::kFluid ||
                                 request.network == NetworkLevelName::kAnalytic);
}

// By size.
std::vector<Measured> price(const CollectiveRequest& request, Cluster& cluster) {
  LoneTransfers transfers(cluster);
  const Endpoints& ends =
      transfers.between(request.op, request.use, gpus_by_group(request).front());
  std::vector<Measured> priced;
  for (const Bytes size : request.sizes) {
    const Bytes buffer = buffer_of(request.op, size, request.ranks);
    Transfer transfer = LoneTransfers::transfer(ends, buffer, request.fan_out);
    if (!request.splits.empty()) {
      const std::vector<Bytes> to_member = splits_of(request, size);
      for (int member = 0; member < request.ranks; ++member) {
        transfer.splits.insert(transfer.splits.end(), to_member.begin(), to_member.end());
      }
    }
    const TransferPath& path = transfers.paths().of(transfer, ends);
    priced.push_back({path.alone(buffer), path.algorithm, path.protocol, path.channels});
  }
  return priced;
}

std::vector<Measured> measure(const CollectiveRequest& request, const Programs& programs,
                              Cluster& cluster, ProgressCounter* progress) {
  Stopwatch stopwatch(request.network);
  replay(programs, cluster, request.network, stopwatch, {}, progress);
  std::vector<Measured> measured;
  for (const auto& [instruction, each] : stopwatch.by_instruction()) measured.push_back(each);
  return measured;
}

}  // namespace

std::vector<CollectiveRow> run_collectives(const CollectiveRequest& request, Cluster& cluster,
                                           Seconds time_limit, ProgressCounter* progress) {
  const Programs programs = programs_of(request);
  refuse_long_replay({"rehearse collective", 1, 1}, programs, request.network, time_limit,
                     progress);
  const std::vector<Measured> by_size = has_network_alone(request)
                                            ? price(request, cluster)
                                            : measure(request, programs, cluster, progress);
  SIM_CHECK(by_size.size() == request.sizes.size(), "a collective was not measured");
  const double factor = request.splits.empty()
                            ? busbw_factor(request.op, request.ranks / request.groups)
                            : busiest_port(request.splits);
  std::vector<CollectiveRow> rows;
  for (std::size_t at = 0; at < by_size.size(); ++at) {
    const Measured& measured = by_size[at];
    SIM_CHECK(measured.algorithm != nullptr, "a measured collective is none of the request's");
    CollectiveRow row;
    row.time = measured.time;
    if (request.op != CollectiveOp::kBarrier) row.size = request.sizes[at];
    if (row.size && row.time.value > 0) {
      row.algbw = BytesPerSecond{row.size->value / row.time.value};
      row.busbw = *row.algbw * factor;
    }
    row.algorithm = measured.algorithm->name;
    row.protocol = measured.protocol;
    row.channels = measured.channels;
    // Groups that are alike start together and keep step: there the level is exact.
    if (measured.time > measured.least * kContends) row.may_overlap = measured.may_overlap;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace rehearse
