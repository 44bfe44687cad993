#include "program/program_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "program/lower.hpp"
#include "program/stage_weights.hpp"

namespace rehearse {
namespace {

class ProgramBuilder {
 public:
  ProgramBuilder(const Model& model, const Plan& plan, const MicroBatches& batches,
                 const Role& role, Names& names)
      : model_(model), plan_(plan), batches_(batches), role_(role), names_(names) {
    layers_ = stage_layers(plan.layout, model.layers)[role.stage];
    last_stage_ = plan.layout.pipeline - 1;
    pipelined_ = plan.layout.pipeline > 1;
    routed_ = routes_tokens(plan, model);
    steps_ = plan.batch.output_tokens - 1;
  }

  Program build() {
    program_.stage = role_.stage;
    program_.layers = layers_;
    program_.role = fmt::format("stage {}: layers {}-{}, {} sequences", role_.stage, layers_.first,
                                layers_.first + layers_.count - 1, role_.sequences);
    program_.weights = weights_of_stage(model_, plan_, role_.stage, layers_);
    program_.communication_buffers = plan_.communication_buffers;
    prefill();
    if (steps_ > 0) decode();
    return std::move(program_);
  }

 private:
  struct BuiltPass {
    PassShape shape;
    bool begins_iteration = false;
    int pass = 0;
    int begin = 0;  // of its instructions
    int end = 0;
    int slots = 0;
  };

  bool is_last() const { return role_.stage == last_stage_; }

  void close_block(int begin, int repeat, int first_step) {
    program_.blocks.push_back(
        {begin, static_cast<int>(program_.instructions.size()), repeat, first_step});
  }

  void prefill() {
    int told = 0;  // decode micro-batches whose first tokens are on their way to the first stage
    const int parts = decode_micro_batches(plan_);
    const int prefills = plan_.batch.micro_batches;
    for (int part = 0; part < prefills; ++part) {
      if (!runs(Phase::kPrefill, part, prefills)) continue;
      const Share share = batches_.requests(Phase::kPrefill, role_.requests, part);
      add_pass(Phase::kPrefill, part, share, prefills);
      if (steps_ == 0 || !pipelined_ || !is_last()) continue;
      const auto sampled = [&](int decode_part) {
        const Share wanted = share_of(role_.sequences, parts, decode_part);
        return wanted.first + wanted.count <= share.first + share.count;
      };
      for (; told < parts && sampled(told); ++told) {
        if (runs(Phase::kDecode, told, parts)) send_tokens(told, parts);
      }
    }
    close_block(0, 1, 0);
  }

  void decode() {
    const bool tells = pipelined_ && is_last();
    if (tells && steps_ > 1) {
      const int begin = static_cast<int>(program_.instructions.size());
      decode_step(true);
      close_block(begin, steps_ - 1, 0);
    }
    // The last step's tokens go nowhere, so the last stage's last step has no send.
    const int begin = static_cast<int>(program_.instructions.size());
    decode_step(false);
    close_block(begin, tells ? 1 : steps_, tells ? steps_ - 1 : 0);
  }

  void decode_step(bool tell_first_stage) {
    const int parts = decode_micro_batches(plan_);
    for (int part = 0; part < parts; ++part) {
      if (!runs(Phase::kDecode, part, parts)) continue;
      add_pass(Phase::kDecode, part, share_of(role_.sequences, parts, part), parts);
      if (tell_first_stage) send_tokens(part, parts);
    }
  }

  // Tokens of the replicas that share this rank's experts, in micro-batch `part` of `parts`.
  double group_tokens(Phase phase, int part, int parts) const {
    if (!role_.group.empty()) {
      double tokens = 0;
      for (const Share& share : role_.group) {
        tokens += batches_.tokens(phase, share, part);
      }
      return tokens;
    }
    const int smaller = plan_.batch.sequences / plan_.layout.dense_data();
    const double sequences =
        static_cast<double>(role_.larger_replicas) * share_of(smaller + 1, parts, part).count +
        static_cast<double>(role_.group_replicas - role_.larger_replicas) *
            share_of(smaller, parts, part).count;
    return phase == Phase::kPrefill ? sequences * plan_.batch.prompt_tokens : sequences;
  }

  // A replica without tokens in a micro-batch runs a pass of it only where others send tokens to
  // the experts that they share: its ranks have to join the all-to-alls, and engines run a dummy
  // batch. Nobody waits for any other empty pass.
  bool runs(Phase phase, int part, int parts) const {
    const bool has_experts = model_.is_moe_layer(model_.layers - 1);
    return has_experts ? group_tokens(phase, part, parts) > 0
                       : batches_.requests(phase, role_.requests, part).count > 0;
  }

  void add_pass(Phase phase, int part, Share sequences, int parts) {
    PassShape shape;
    shape.phase = phase;
    shape.sequences = sequences.count;
    shape.prompt_tokens = plan_.batch.prompt_tokens;
    shape.prompts = batches_.prompts(phase, role_.requests, part);
    shape.group_tokens = group_tokens(phase, part, parts);
    shape.layers = layers_;
    shape.stage = role_.stage;
    const bool begins_iteration = phase == Phase::kPrefill || part == 0;
    pass_ = static_cast<int>(program_.passes.size());
    // Prompts of different lengths hardly ever make the same pass twice.
    const bool may_repeat = shape.prompts.empty();
    const auto same = std::find_if(built_.begin(), built_.end(), [&](const BuiltPass& built) {
      return built.begins_iteration == begins_iteration && built.shape == shape;
    });
    if (may_repeat && same != built_.end()) {
      copy(*same);
    } else {
      const int begin = static_cast<int>(program_.instructions.size());
      build(shape, begins_iteration);
      const int end = static_cast<int>(program_.instructions.size());
      if (may_repeat) built_.push_back({shape, begins_iteration, pass_, begin, end, next_slot_});
    }
    program_.passes.back().micro_batch = part;
    program_.passes.back().sequences = sequences;
  }

  // The same instructions again, for another micro-batch.
  void copy(const BuiltPass& built) {
    program_.passes.push_back(Pass(program_.passes[built.pass]));
    for (int at = built.begin; at < built.end; ++at) {
      program_.instructions.push_back(program_.instructions[at]);
      program_.instructions.back().pass = pass_;
    }
    next_slot_ = built.slots;
  }

  void build(const PassShape& shape, bool begins_iteration) {
    const WorkloadGraph graph = build_pass(model_, plan_.layout, shape);
    next_slot_ = 0;
    Pass pass;
    pass.phase = shape.phase;
    pass.tokens = shape.tokens();
    pass.kv_appended =
        kv_bytes_per_token(model_, layers_.first, layers_.count, plan_.layout.tensor) *
        shape.tokens();
    pass.activation_peak = graph.peak_live_bytes();
    if (routed_) pass.live_copies = graph.peak_live_copies();
    program_.passes.push_back(pass);

    mark(Instruction::Kind::kPassBegin);
    int token_slot = -1;
    if (shape.phase == Phase::kDecode && pipelined_ && role_.stage == 0) {
      token_slot = receive_tokens(shape.sequences);
    }
    const int weights_slot = begins_iteration ? move_weights() : -1;
    emit(graph, token_slot, weights_slot);
    mark(Instruction::Kind::kPassEnd);
    program_.slots = std::max(program_.slots, next_slot_);
  }

  // Experts that are placed anew: nothing is computed before their weights have arrived.
  int move_weights() {
    const bool any = routed_ && plan_.placement.rebalance_every > 0 &&
                     expert_group_size(plan_.layout) > 1 &&
                     model_.is_moe_layer(layers_.first + layers_.count - 1);
    if (!any) return -1;
    Instruction instruction;
    instruction.kind = Instruction::Kind::kCollective;
    instruction.stream = Stream::kExpert;
    instruction.axis = Axis::kExpert;
    instruction.op = CollectiveOp::kAllToAll;
    instruction.pass = pass_;
    instruction.name = names_.of("move experts");
    instruction.slot = next_slot_++;
    instruction.routed = static_cast<std::int32_t>(program_.routed.size());
    program_.routed.push_back({.amounts = {}, .moves_weights = true});
    program_.instructions.push_back(instruction);
    return instruction.slot;
  }

  void route(const Node& node, Instruction& instruction) {
    if (!routed_ || node.routed.of == Copies::kNone) return;
    instruction.routed = static_cast<std::int32_t>(program_.routed.size());
    RoutedWork work;
    work.amounts = node.routed;
    RoutedWork* const before = program_.routed.empty() ? nullptr : &program_.routed.back();
    // The routed nodes of a layer follow each other.
    if (before != nullptr && instruction.layer == routed_layer_) before->ends_layer = false;
    work.begins_experts = instruction.op_class == OperatorClass::kExpertGemm &&
                          (before == nullptr || !computes_experts_);
    computes_experts_ = instruction.kind == Instruction::Kind::kCompute &&
                        instruction.op_class == OperatorClass::kExpertGemm;
    work.ends_layer = true;
    routed_layer_ = instruction.layer;
    program_.routed.push_back(work);
  }

  void emit(const WorkloadGraph& graph, int token_slot, int weights_slot) {
    routed_layer_ = -1;
    std::vector<int> slot_of(graph.size(), -1);
    bool first = true;
    for (int index = 0; index < graph.size(); ++index) {
      Instruction instruction = lower_node(graph.node(index));
      std::size_t wait = 0;
      const auto wait_for = [&](int slot) {
        if (slot < 0) return;
        SIM_CHECK(wait < instruction.waits.size(), "a node waits for more than three transfers");
        instruction.waits[wait++] = slot;
      };
      route(graph.node(index), instruction);
      if (first) wait_for(token_slot);
      first = false;
      if (instruction.kind == Instruction::Kind::kCompute) {
        wait_for(std::exchange(weights_slot, -1));
      }
      for (const int input : graph.inputs(index)) wait_for(slot_of[input]);
      if (instruction.kind != Instruction::Kind::kCompute) {
        slot_of[index] = instruction.slot = next_slot_++;
      }
      program_.instructions.push_back(instruction);
    }
  }

  Instruction lower_node(const Node& node) {
    Instruction instruction;
    instruction.pass = pass_;
    static_assert(kMostLayers <= std::numeric_limits<std::int16_t>::max());
    instruction.layer = static_cast<std::int16_t>(node.layer);
    instruction.name =
        names_.of(node.layer < 0 ? node.name : fmt::format("L{} {}", node.layer, node.name));
    if (const auto* op = std::get_if<Operator>(&node.work)) {
      instruction.op_class = op->op_class;
      instruction.work = static_cast<std::int32_t>(program_.works.size());
      program_.works.push_back(op->work);
      instruction.flops = op->flops();
      instruction.bytes = op->bytes();
      instruction.useful_flops_share = op->useful_flops_share;
    } else if (const auto* collective = std::get_if<Collective>(&node.work)) {
      instruction.kind = Instruction::Kind::kCollective;
      instruction.stream = collective->axis == Axis::kExpert ? Stream::kExpert : Stream::kTensor;
      instruction.axis = collective->axis;
      instruction.op = collective->op;
      instruction.fan_out = collective->fan_out;
      instruction.bytes.base = collective->bytes.value;
    } else {
      to_message(std::get<Message>(node.work), instruction);
    }
    return instruction;
  }

  static void to_message(const Message& message, Instruction& instruction) {
    const bool send = message.kind == Message::Kind::kSend;
    instruction.kind = send ? Instruction::Kind::kSend : Instruction::Kind::kReceive;
    instruction.stream = send ? Stream::kPipelineSend : Stream::kPipelineReceive;
    instruction.axis = Axis::kPipeline;
    instruction.peer_stage = static_cast<std::int16_t>(message.peer_stage);
    instruction.bytes.base = message.bytes.value;
  }

  Instruction token_message(Message::Kind kind, int peer, int sequences, const char* name) {
    Instruction instruction;
    instruction.pass = pass_;
    instruction.name = names_.of(name);
    instruction.slot = next_slot_++;
    program_.slots = std::max(program_.slots, next_slot_);
    to_message({kind, peer, Bytes{sequences * kTokenIdBytes}}, instruction);
    return instruction;
  }

  void send_tokens(int part, int parts) {
    const int sequences = share_of(role_.sequences, parts, part).count;
    program_.instructions.push_back(
        token_message(Message::Kind::kSend, 0, sequences, "send tokens"));
  }

  int receive_tokens(int sequences) {
    Instruction instruction =
        token_message(Message::Kind::kReceive, last_stage_, sequences, "receive tokens");
    program_.instructions.push_back(instruction);
    return instruction.slot;
  }

  void mark(Instruction::Kind kind) {
    Instruction instruction;
    instruction.kind = kind;
    instruction.pass = pass_;
    program_.instructions.push_back(instruction);
  }

  const Model& model_;
  const Plan& plan_;
  const MicroBatches& batches_;
  const Role& role_;
  Names& names_;
  Share layers_;
  int last_stage_ = 0;
  bool pipelined_ = false;
  bool routed_ = false;  // not uniform
  int steps_ = 0;
  int pass_ = -1;
  int next_slot_ = 0;
  std::vector<BuiltPass> built_;   // of different shapes
  int routed_layer_ = -1;          // of the last routed instruction in the pass
  bool computes_experts_ = false;  // it is an operator of the experts
  Program program_;
};

}  // namespace

Program build_program(const Model& model, const Plan& plan, const MicroBatches& batches,
                      const Role& role, Names& names) {
  return ProgramBuilder(model, plan, batches, role, names).build();
}

}  // namespace rehearse
