#include "metrics/critical_path.hpp"

#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/dag_shortest_paths.hpp>
#include <boost/property_map/function_property_map.hpp>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace rehearse {
namespace {

using Graph = boost::compressed_sparse_row_graph<boost::directedS>;
using Edge = boost::graph_traits<Graph>::edge_descriptor;

// What one rank has executed so far: whom its next instruction waits for.
struct RankPosition {
  int compute = -1;
  std::array<int, kStreams> on_stream;
  std::vector<int> in_slot;

  explicit RankPosition(int slots) : in_slot(static_cast<std::size_t>(slots), -1) {
    on_stream.fill(-1);
  }
};

}  // namespace

// Vertex 0 is the start of the run, then one per record, then one per transfer: its start, for
// which all its members must be ready.
struct CriticalPathFinder::Dependencies {
  std::vector<std::pair<int, int>> edges;
  std::vector<double> durations;  // by vertex
};

Bytes estimate_path_memory(const Programs& programs) {
  // A record, its vertex and its edges: 120 to 170 (the vectors grow by doubling), measured with
  // the 24-GPU plan and 128 to 1,024 output tokens.
  constexpr double kBytesPerRecord = 170;
  double records = 0;
  for (const RankEntry& rank : programs.ranks) {
    const Program& program = programs.programs[rank.program];
    for (const Loop& loop : program.loops) {
      for (int at = loop.begin; at < loop.end; ++at) {
        records +=
            static_cast<double>(programs.pass_of(program.actions[at]).executions()) * loop.repeat;
      }
    }
  }
  return {records * kBytesPerRecord};
}

void CriticalPathFinder::begin(const Programs& programs) {
  programs_ = &programs;
  rates_ = device_rates(platform_, programs.engine);
}

void CriticalPathFinder::span(const Span& span) {
  records_.push_back({span.order, span.transfer, span.start.value, span.end.value, span.rank,
                      span.action, span.instruction});
}

CriticalPathFinder::Dependencies CriticalPathFinder::find_dependencies() const {
  const int count = static_cast<int>(records_.size());
  Dependencies all;
  all.durations.assign(static_cast<std::size_t>(count) + 1, 0);
  std::int64_t transfers = 0;
  for (const Record& record : records_) transfers = std::max(transfers, record.transfer + 1);
  all.durations.resize(static_cast<std::size_t>(count + 1 + transfers), 0);
  all.edges.reserve(static_cast<std::size_t>(count) * 3);
  const auto depend = [&](int from, int to) { all.edges.emplace_back(from < 0 ? 0 : from, to); };
  std::vector<RankPosition> ranks;
  for (const RankEntry& entry : programs_->ranks) {
    ranks.emplace_back(programs_->programs[entry.program].slots);
  }
  for (int at = 0; at < count; ++at) {
    const Record& record = records_[at];
    const Instruction& instruction = instruction_of(record);
    const int self = at + 1;
    RankPosition& rank = ranks[record.rank];
    all.durations[self] = record.end - record.start;
    int waits = self;  // the vertex that waits for what the instruction names
    if (instruction.kind != Instruction::Kind::kCompute) {
      waits = count + 1 + static_cast<int>(record.transfer);
      depend(waits, self);
      int& before = rank.on_stream[static_cast<int>(instruction.stream)];
      // A receive's buffer is posted ahead: the sender alone decides.
      if (instruction.kind != Instruction::Kind::kReceive) depend(before, waits);
      before = self;
    }
    if (instruction.kind != Instruction::Kind::kReceive) {
      depend(rank.compute, waits);
      for (const int slot : pass_of(record).waits_of(instruction)) {
        depend(rank.in_slot[slot], waits);
      }
    }
    if (instruction.kind == Instruction::Kind::kCompute) rank.compute = self;
    if (instruction.slot >= 0) rank.in_slot[instruction.slot] = self;
  }
  return all;
}

PathTerms CriticalPathFinder::terms_of(const std::vector<int>& path) const {
  PathTerms terms;
  std::map<std::string, double> kinds;
  for (const int vertex : path) {
    if (vertex > static_cast<int>(records_.size())) continue;
    const Record& record = records_[vertex - 1];
    const Instruction& instruction = instruction_of(record);
    const int device = platform_.gpus[programs_->ranks[record.rank].gpu].device;
    const double duration = record.end - record.start;
    const bool compute = instruction.kind == Instruction::Kind::kCompute;
    const Seconds launched =
        compute ? rates_[device].launch_of(pass_of(record).work_of(instruction))
                : platform_.devices[device].collective_launch + programs_->engine.per_collective;
    const double launch = std::min(duration, launched.value);
    terms.length_s += duration;
    terms.launch_s += launch;
    if (compute) {
      terms.compute_s += duration - launch;
    } else {
      terms.communication_s[static_cast<int>(instruction.axis)] += duration - launch;
    }
    if (instruction.name >= 0) kinds[kind_of_operator(programs_->name_of(instruction))] += duration;
  }
  for (const auto& [name, time] : kinds) terms.operators.push_back({name, time});
  sort_longest_first(terms.operators);
  return terms;
}

void CriticalPathFinder::end(Seconds /*makespan*/) {
  std::sort(records_.begin(), records_.end(), [](const Record& a, const Record& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.order < b.order;
  });
  const Dependencies all = find_dependencies();
  const Graph graph(boost::edges_are_unsorted_multi_pass, all.edges.begin(), all.edges.end(),
                    all.durations.size());
  std::vector<double> lengths(all.durations.size());
  std::vector<Graph::vertex_descriptor> before(all.durations.size());
  const auto duration_of_target = boost::make_function_property_map<Edge, double>(
      [&](const Edge& edge) { return all.durations[target(edge, graph)]; });
  const auto index = get(boost::vertex_index, graph);
  boost::dag_shortest_paths(
      graph, 0,
      boost::weight_map(duration_of_target)
          .distance_map(boost::make_iterator_property_map(lengths.begin(), index))
          .predecessor_map(boost::make_iterator_property_map(before.begin(), index))
          .distance_compare(std::greater<>())
          .distance_inf(-std::numeric_limits<double>::infinity())
          .distance_zero(0.0));

  int first_tokens = 0;
  double longest = -1;
  int last = 0;
  for (int at = 0; at < static_cast<int>(records_.size()); ++at) {
    const Record& record = records_[at];
    const Instruction& instruction = instruction_of(record);
    const auto is_later = [&](int other) {
      return other == 0 || record.end > records_[other - 1].end;
    };
    const Action& action = programs_->action(record.rank, record.action);
    const bool samples = instruction.kind == Instruction::Kind::kCompute &&
                         instruction.op_class == OperatorClass::kSampling && action.token == 0 &&
                         action.sequences.count > 0;
    if (samples && record.end > longest) {
      longest = record.end;
      first_tokens = at + 1;
    }
    if (is_later(last)) last = at + 1;
  }
  const auto path_to = [&](int vertex) {
    std::vector<int> path;
    for (; vertex != 0; vertex = static_cast<int>(before[vertex])) path.push_back(vertex);
    return path;
  };
  path_.to_first_tokens = terms_of(path_to(first_tokens));
  path_.to_end = terms_of(path_to(last));
}

}  // namespace rehearse
