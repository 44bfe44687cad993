#include "simulation/collective_run.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "program/program.hpp"
#include "replay/rendezvous.hpp"
#include "replay/replay.hpp"
#include "simulation/limits.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {
namespace {

bool buffer_is_a_shard(CollectiveOp op) {
  return op == CollectiveOp::kAllGather || op == CollectiveOp::kGather ||
         op == CollectiveOp::kScatter;
}

double busbw_factor(CollectiveOp op, int members) {
  const double n = members;
  switch (op) {
    case CollectiveOp::kAllReduce:
      return 2 * (n - 1) / n;
    case CollectiveOp::kBroadcast:
    case CollectiveOp::kReduce:
      return 1;
    default:
      return (n - 1) / n;
  }
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

std::vector<Bytes> splits_of(const CollectiveRequest& request, Bytes size) {
  const double sum = std::accumulate(request.splits.begin(), request.splits.end(), 0.0);
  std::vector<Bytes> to_member;
  for (const double weight : request.splits) to_member.push_back(size * (weight / sum));
  return to_member;
}

Programs programs_of(const CollectiveRequest& request) {
  const int members = request.ranks / request.groups;
  Programs programs;
  programs.names = {to_text(request.op)};
  programs.groups = groups_of(request);
  programs.algorithms[static_cast<int>(request.op)] = request.algorithm;
  PassProgram pass;
  for (const Bytes size : request.sizes) {
    const double buffer = buffer_is_a_shard(request.op) ? size.value / members : size.value;
    pass.instructions.push_back(collective(Axis::kTensor, request.op, buffer, pass.slots++));
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

// Times of the measured collectives, by instruction.
class Stopwatch : public TimelineSink {
 public:
  void begin(const Programs& programs) override { programs_ = &programs; }

  void span(const Span& span) override {
    const Instruction& at = instruction_of(*programs_, span);
    if (at.axis != Axis::kTensor) return;
    Measured& measured = by_instruction_[span.instruction];
    measured.time = std::max(measured.time, span.end - span.start);
    measured.algorithm = span.algorithm;
  }

  struct Measured {
    Seconds time;
    const CollectiveAlgorithm* algorithm = nullptr;
  };
  const std::map<int, Measured>& by_instruction() const { return by_instruction_; }

 private:
  const Programs* programs_ = nullptr;
  std::map<int, Measured> by_instruction_;
};

}  // namespace

std::string collective_refusal(const CollectiveRequest& request, const Platform& platform) {
  if (request.algorithm == nullptr) return {};
  for (const ProcessGroup& group : groups_of(request).groups) {
    if (group.axis != Axis::kTensor) continue;
    std::string refusal = request.algorithm->refusal(shape_of(group.ranks, platform));
    if (!refusal.empty()) return refusal;
  }
  return {};
}

std::vector<CollectiveRow> run_collectives(const CollectiveRequest& request, Cluster& cluster,
                                           Seconds time_limit, ProgressCounter* progress) {
  const Programs programs = programs_of(request);
  refuse_long_replay({"rehearse collective", 1, 1}, programs, request.network, time_limit,
                     progress);
  Stopwatch stopwatch;
  replay(programs, cluster, request.network, stopwatch, {}, progress);

  std::vector<CollectiveRow> rows;
  auto size = request.sizes.begin();
  const double factor = request.splits.empty()
                            ? busbw_factor(request.op, request.ranks / request.groups)
                            : busiest_port(request.splits);
  for (const auto& [instruction, measured] : stopwatch.by_instruction()) {
    SIM_CHECK(size != request.sizes.end() && measured.algorithm != nullptr,
              "a measured collective is none of the request's");
    CollectiveRow row;
    row.time = measured.time;
    if (request.op != CollectiveOp::kBarrier) row.size = *size;
    ++size;
    if (row.size && row.time.value > 0) {
      row.algbw = BytesPerSecond{row.size->value / row.time.value};
      row.busbw = *row.algbw * factor;
    }
    row.algorithm = measured.algorithm->name;
    rows.push_back(row);
  }
  SIM_CHECK(size == request.sizes.end(), "a collective was not measured");
  return rows;
}

}  // namespace rehearse
