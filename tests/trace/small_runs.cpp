#include "trace/small_runs.hpp"

#include <algorithm>
#include <array>

#include "trace/chrome_trace.hpp"

namespace rehearse {
namespace {

// The group on `axis` of the ranks that `same` says belong with `rank`; made when missing.
template <class Same>
void place_in_group(Programs& programs, Rank rank, Axis axis, Same same) {
  ProcessGroup group{axis, {}};
  for (Rank other = 0; other < static_cast<Rank>(programs.ranks.size()); ++other) {
    if (same(programs.ranks[other].at, programs.ranks[rank].at)) group.ranks.push_back(other);
  }
  auto& groups = programs.groups.groups;
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const ProcessGroup& known) {
    return known.axis == axis && known.ranks == group.ranks;
  });
  programs.groups.of_rank[rank][static_cast<int>(axis)] =
      static_cast<std::int32_t>(found - groups.begin());
  if (found == groups.end()) groups.push_back(group);
}

// "L3 qkv": the layer, which is taken out of the name; -1: it has none.
int take_layer(std::string& name) {
  const std::size_t space = name.find(' ');
  const bool has_layer = name.starts_with('L') && space != std::string::npos && space > 1 &&
                         name.find_first_not_of("0123456789", 1) == space;
  if (!has_layer) return Place::kOutside;
  const int layer = std::stoi(name.substr(1, space - 1));
  name.erase(0, space + 1);
  return layer;
}

// Numbers of instructions: those of an action follow each other.
constexpr int kMostInAction = 1 << 16;

void begin_action(Programs& programs, int stage, const Action& action, const PassProgram& pass) {
  Program& program = programs.programs[stage];
  const int index = static_cast<int>(program.actions.size());
  program.actions.push_back(action);
  program.actions.back().pass = static_cast<std::int32_t>(programs.passes.size());
  program.loops.push_back({index, index + 1, 1, 0});
  programs.passes.push_back(pass);
}

// To the action that was begun last.
int add(Programs& programs, int stage, Instruction instruction, std::string name, int repeat) {
  Program& program = programs.programs[stage];
  if (program.actions.empty()) begin_action(programs, stage, {}, {});
  const int layer = take_layer(name);
  instruction.name = static_cast<std::int32_t>(programs.names.size());
  programs.names.push_back(name);
  PassProgram& pass = programs.passes[program.actions.back().pass];
  const int position = static_cast<int>(pass.instructions.size());
  pass.instructions.push_back(instruction);
  pass.places.push_back({position, position + 1, layer, 1});
  int& repeated = program.loops.back().repeat;
  repeated = std::max(repeated, repeat);
  return (static_cast<int>(program.actions.size()) - 1) * kMostInAction + position;
}

Instruction message(Instruction::Kind kind, Stream stream, int peer) {
  Instruction instruction;
  instruction.kind = kind;
  instruction.stream = stream;
  instruction.axis = Axis::kPipeline;
  instruction.peer = static_cast<std::int16_t>(peer);
  instruction.bytes.base = 1e6;
  return instruction;
}

bool is_compute(const Programs& programs, const Span& span) {
  return instruction_of(programs, span).kind == Instruction::Kind::kCompute;
}

// Whether nothing lies between them.
bool follows(const Span& next, const Span& last) {
  return next.rank == last.rank && next.step == last.step && !next.routed && !last.routed &&
         next.action == last.action && next.position == last.position + 1 &&
         next.start.value == last.end.value;
}

// The operators facts.spans[from, to) as one run.
void write_run(const Programs& programs, const Facts& facts, std::size_t from, std::size_t to,
               TimelineSink& sink) {
  std::array<Seconds, 64> ends;
  std::array<std::int32_t, 64> instructions;
  const Span& first = facts.spans[from];
  for (std::size_t at = from; at < to; ++at) {
    ends[at - from] = facts.spans[at].end - first.start;
    instructions[at - from] = facts.spans[at].instruction;
  }
  OperatorRun run;
  run.rank = first.rank;
  run.action = first.action;
  run.called = &programs.action(first.rank, first.action);
  run.pass = &programs.pass_of(*run.called);
  run.first = {first.position, 0, first.instruction};
  run.position = first.position;
  run.count = static_cast<int>(to - from);
  run.step = first.step;
  run.number = 1000 * run.called->pass + first.instruction;
  run.start = first.start;
  run.ends = ends.data();
  run.instructions = instructions.data();
  run.stall = first.stall;
  run.stall_start_of_transfer = first.stall_start_of_transfer;
  run.stalled_on = first.stalled_on;
  sink.operators(run);
}

}  // namespace

Programs small_world(int tensor, int data, int pipeline) {
  Programs programs;
  programs.programs.resize(pipeline);
  for (int stage = 0; stage < pipeline; ++stage) programs.programs[stage].stage = stage;
  for (int rank = 0; rank < tensor * data * pipeline; ++rank) {
    RankEntry entry;
    entry.at.tensor = rank % tensor;
    entry.at.data = rank / tensor % data;
    entry.at.pipeline = rank / tensor / data;
    entry.program = entry.at.pipeline;
    entry.sequences = {entry.at.data, 1};
    programs.ranks.push_back(entry);
  }
  programs.groups.of_rank.resize(programs.ranks.size());
  using At = const Coordinates&;
  for (Rank rank = 0; rank < static_cast<Rank>(programs.ranks.size()); ++rank) {
    place_in_group(programs, rank, Axis::kTensor,
                   [](At a, At b) { return a.data == b.data && a.pipeline == b.pipeline; });
    place_in_group(programs, rank, Axis::kExpert, [](At a, At b) { return a == b; });
    place_in_group(programs, rank, Axis::kPipeline,
                   [](At a, At b) { return a.tensor == b.tensor && a.data == b.data; });
    for (const Axis axis : {Axis::kData, Axis::kExpertData}) {
      place_in_group(programs, rank, axis,
                     [](At a, At b) { return a.tensor == b.tensor && a.pipeline == b.pipeline; });
    }
  }
  return programs;
}

int add_compute(Programs& programs, int stage, const std::string& name, OperatorClass op_class,
                int repeat) {
  Instruction instruction;
  instruction.op_class = op_class;
  instruction.flops = {1e12, 0};
  instruction.bytes = {4e6, 0};
  return add(programs, stage, instruction, name, repeat);
}

int add_collective(Programs& programs, int stage, const std::string& name, CollectiveOp op,
                   int repeat) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kCollective;
  instruction.stream = Stream::kTensor;
  instruction.op = op;
  instruction.bytes.base = 2e6;
  return add(programs, stage, instruction, name, repeat);
}

int add_send(Programs& programs, int stage, int to_stage) {
  return add(programs, stage,
             message(Instruction::Kind::kSend, Stream::kPipelineSend, to_stage - stage), "send", 1);
}

int add_receive(Programs& programs, int stage, int from_stage) {
  return add(programs, stage,
             message(Instruction::Kind::kReceive, Stream::kPipelineReceive, from_stage - stage),
             "receive", 1);
}

void add_pass(Programs& programs, int stage, Phase phase, int micro_batch, Share sequences) {
  PassProgram pass;
  pass.is_pass = true;
  Action action;
  action.phase = phase;
  action.token = phase == Phase::kDecode ? 1 : 0;
  action.micro_batch = micro_batch;
  action.sequences = sequences;
  begin_action(programs, stage, action, pass);
}

Instruction& instruction_at(Programs& programs, int stage, int number) {
  const Action& action = programs.programs[stage].actions[number / kMostInAction];
  return programs.passes[action.pass].instructions[number % kMostInAction];
}

Span compute_span(Rank rank, int number, double start, double end, int step) {
  Span span;
  span.rank = rank;
  span.action = number / kMostInAction;
  span.instruction = span.position = number % kMostInAction;
  span.layer = 0;
  span.step = step;
  span.ready = span.start = {start};
  span.end = {end};
  return span;
}

Span transfer_span(Rank rank, int number, std::int64_t transfer, double ready, double start,
                   double end) {
  Span span = compute_span(rank, number, start, end);
  span.ready = {ready};
  span.transfer = transfer;
  return span;
}

void write_trace(const Programs& programs, const Facts& facts, const TraceOptions& options) {
  ChromeTrace trace(options);
  trace.begin(programs);
  for (const Span& span : facts.spans) trace.span(span);
  for (const MemoryLevel& level : facts.levels) trace.memory(level);
  trace.end(facts.makespan);
}

void write_trace_of_runs(const Programs& programs, const Facts& facts,
                         const TraceOptions& options) {
  ChromeTrace trace(options);
  trace.begin(programs);
  for (std::size_t at = 0, end = 0; at < facts.spans.size(); at = end) {
    end = at + 1;
    if (!is_compute(programs, facts.spans[at])) {
      trace.span(facts.spans[at]);
      continue;
    }
    while (end < facts.spans.size() && end - at < 64 && is_compute(programs, facts.spans[end]) &&
           follows(facts.spans[end], facts.spans[end - 1])) {
      ++end;
    }
    write_run(programs, facts, at, end, trace);
  }
  for (const MemoryLevel& level : facts.levels) trace.memory(level);
  trace.end(facts.makespan);
}

}  // namespace rehearse
