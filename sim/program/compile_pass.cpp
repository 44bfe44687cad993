// A graph's nodes become instructions in the order in which they were added. The layers of a chunk
// are written down as far as they differ (written_layers.hpp); so that one can stand for many,
// every layer uses the same slots, from the first behind those of what comes before the layers.
// What a layer leaves is waited for at the beginning of the next, before that records anything: the
// checks below hold it.
#include "program/compile_pass.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "program/written_layers.hpp"

namespace rehearse {
namespace {

constexpr std::int16_t kNextStage = 1;
constexpr std::int16_t kStageBefore = -1;

void to_message(Message::Kind kind, MessageKind what, Bytes bytes, Instruction& instruction) {
  const bool send = kind == Message::Kind::kSend;
  instruction.kind = send ? Instruction::Kind::kSend : Instruction::Kind::kReceive;
  instruction.stream = send ? Stream::kPipelineSend : Stream::kPipelineReceive;
  instruction.axis = Axis::kPipeline;
  instruction.peer = send ? kNextStage : kStageBefore;
  instruction.message = what;
  instruction.bytes.base = bytes.value;
}

Bytes bytes_of_tokens(double sequences) { return Bytes{sequences * kTokenIdBytes}; }

class PassCompiler {
 public:
  PassCompiler(const WorkloadGraph& graph, const PassParts& parts, Names& names)
      : graph_(graph), parts_(parts), names_(names), slot_of_(graph.size(), -1) {}

  // `first`: of the model's layers, the chunk's first.
  PassProgram compile(double sequences, const WrittenLayers& written, int first) {
    begin_section(Place::kOutside);
    const int token_slot = parts_.receives_tokens ? receive_tokens(sequences) : -1;
    const int experts_slot = parts_.moves_experts ? move_experts() : -1;
    emit(token_slot, experts_slot);
    pass_.slots = most_slots_;
    place(written, first);
    return std::move(pass_);
  }

 private:
  // Instructions of one written layer, or of what is before or behind the layers.
  struct Section {
    int layer = Place::kOutside;
    int begin = 0;
    int end = 0;
  };

  void begin_section(int layer) {
    const int at = static_cast<int>(pass_.instructions.size());
    if (layer != Place::kOutside) {
      if (layer_base_ < 0) layer_base_ = next_slot_;
      next_slot_ = layer_base_;
    }
    routed_before_ = false;
    computes_experts_ = false;
    sections_.push_back({layer, at, at});
  }

  void add(const Instruction& instruction) {
    pass_.instructions.push_back(instruction);
    sections_.back().end = static_cast<int>(pass_.instructions.size());
  }

  int new_slot(int recorder) {
    const int slot = next_slot_++;
    most_slots_ = std::max(most_slots_, next_slot_);
    recorded_by_.resize(static_cast<std::size_t>(most_slots_), kNobody);
    recorded_by_[slot] = recorder;
    return slot;
  }

  void wait_for(Instruction& instruction, int slot, int recorder) {
    if (slot < 0) return;
    SIM_CHECK(recorded_by_[slot] == recorder, "a slot is recorded anew before it is waited for");
    if (instruction.waits == 0) {
      instruction.first_wait = static_cast<std::int32_t>(pass_.waits.size());
    }
    pass_.waits.push_back(slot);
    ++instruction.waits;
  }

  int receive_tokens(double sequences) {
    Instruction instruction;
    instruction.name = names_.of("receive tokens");
    instruction.slot = new_slot(kTokens);
    to_message(Message::Kind::kReceive, MessageKind::kTokens, bytes_of_tokens(sequences),
               instruction);
    add(instruction);
    return instruction.slot;
  }

  int move_experts() {
    Instruction instruction;
    instruction.kind = Instruction::Kind::kCollective;
    instruction.stream = Stream::kExpert;
    instruction.axis = Axis::kExpert;
    instruction.op = CollectiveOp::kAllToAll;
    instruction.name = names_.of("move experts");
    instruction.slot = new_slot(kExperts);
    instruction.routed = static_cast<std::int32_t>(pass_.routed.size());
    pass_.routed.push_back({.amounts = {}, .moves_weights = true});
    add(instruction);
    return instruction.slot;
  }

  void route(const Node& node, Instruction& instruction) {
    if (!parts_.routed || node.routed.of == Copies::kNone) return;
    instruction.routed = static_cast<std::int32_t>(pass_.routed.size());
    RoutedWork work;
    work.amounts = node.routed;
    // The routed nodes of a layer follow each other.
    if (routed_before_) pass_.routed.back().ends_layer = false;
    routed_before_ = true;
    const bool of_experts = instruction.kind == Instruction::Kind::kCompute &&
                            instruction.op_class == OperatorClass::kExpertGemm;
    work.begins_experts = of_experts && !computes_experts_;
    computes_experts_ = of_experts;
    work.ends_layer = true;
    pass_.routed.push_back(work);
  }

  void emit(int token_slot, int experts_slot) {
    for (int node = 0; node < graph_.size(); ++node) {
      const int layer = graph_.node(node).layer;
      if (layer != sections_.back().layer) begin_section(layer);
      Instruction instruction = instruction_of(graph_.node(node));
      route(graph_.node(node), instruction);
      wait_for(instruction, std::exchange(token_slot, -1), kTokens);
      if (instruction.kind == Instruction::Kind::kCompute) {
        wait_for(instruction, std::exchange(experts_slot, -1), kExperts);
      }
      for (const int input : graph_.inputs(node)) wait_for(instruction, slot_of_[input], input);
      if (instruction.kind != Instruction::Kind::kCompute) {
        slot_of_[node] = instruction.slot = new_slot(node);
      }
      add(instruction);
    }
  }

  Instruction instruction_of(const Node& node) {
    Instruction instruction;
    instruction.name = names_.of(node.name);
    if (const auto* op = std::get_if<Operator>(&node.work)) {
      instruction.op_class = op->op_class;
      instruction.work = static_cast<std::int32_t>(pass_.works.size());
      pass_.works.push_back(op->work);
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
      const Message& message = std::get<Message>(node.work);
      to_message(message.kind, MessageKind::kActivations, message.bytes, instruction);
    }
    return instruction;
  }

  // Where each section is executed: what stands before the layers, the layers, what stands behind.
  void place(const WrittenLayers& written, int first) {
    std::vector<Section> layers;
    const auto outside = [&](const Section& section) {
      if (section.begin < section.end) {
        pass_.places.push_back({section.begin, section.end, Place::kOutside, 1});
      }
    };
    std::size_t at = 0;
    for (; at < sections_.size() && sections_[at].layer == Place::kOutside; ++at) {
      outside(sections_[at]);
    }
    for (; at < sections_.size() && sections_[at].layer != Place::kOutside; ++at) {
      layers.push_back(sections_[at]);
    }
    SIM_CHECK(layers.size() == written.layers.size(), "every written layer has instructions");
    for (std::size_t at_layer = 0; at_layer < written.stands.size(); ++at_layer) {
      const Section& section = layers[written.stands[at_layer]];
      const int layer = written.following[at_layer] - first;
      Place* const before = pass_.places.empty() ? nullptr : &pass_.places.back();
      if (before != nullptr && before->layer >= 0 && before->begin == section.begin &&
          before->layer + before->repeat == layer) {
        ++before->repeat;
      } else {
        pass_.places.push_back({section.begin, section.end, layer, 1});
      }
    }
    for (; at < sections_.size(); ++at) {
      SIM_CHECK(sections_[at].layer == Place::kOutside, "layers follow each other");
      outside(sections_[at]);
    }
  }

  // Of a slot, beside nodes.
  static constexpr int kNobody = -1;
  static constexpr int kTokens = -2;
  static constexpr int kExperts = -3;

  const WorkloadGraph& graph_;
  const PassParts& parts_;
  Names& names_;
  std::vector<int> slot_of_;      // by node
  std::vector<int> recorded_by_;  // by slot: the node that did last
  std::vector<Section> sections_;
  int next_slot_ = 0;
  int most_slots_ = 0;
  int layer_base_ = -1;            // the first slot of every layer
  bool routed_before_ = false;     // in this layer
  bool computes_experts_ = false;  // the routed node before did
  PassProgram pass_;
};

// To the cache, on average over the steps of a run: where it crosses the end of a window, the last
// step leaves what is kept then.
Bytes appended(const SequenceCache& cache, const PassShape& shape) {
  if (cache.windows.empty() && cache.state.value == 0) {
    return (cache.token + cache.index) * shape.tokens();
  }
  const StepRange steps = shape.grows ? shape.steps : StepRange{};
  Bytes sum;
  for (const Slice& slice : shape.slices) {
    const double before = slice.sequences * slice.context + slice.tokens() * steps.first;
    const double after = before + slice.tokens() * steps.count;
    const Bytes of_run = cache.kept(slice.sequences, after) - cache.kept(slice.sequences, before);
    sum += of_run * (1.0 / steps.count);
  }
  return sum;
}

// Of the chunk's layers that do something: one without attention and FFN has no instructions.
WrittenLayers layers_to_write(const Model& model, const Share& chunk,
                              const std::vector<int>& kinds) {
  std::vector<int> busy;  // of the model
  std::vector<int> kinds_of_busy;
  for (int layer = chunk.first; layer < chunk.first + chunk.count; ++layer) {
    const LayerKind kind = model.kind_of(layer);
    if (kind.attention == LayerKind::kNone && !kind.has_feed_forward()) continue;
    busy.push_back(layer);
    kinds_of_busy.push_back(kinds[layer]);
  }
  return written_layers(kinds_of_busy, std::move(busy));
}

}  // namespace

PassProgram compile_pass(const Model& model, const Layout& layout, const PassShape& shape,
                         const std::vector<int>& kinds, const PassParts& parts, Names& names) {
  const Share& chunk = shape.layers;
  const WrittenLayers written = layers_to_write(model, chunk, kinds);
  const WorkloadGraph graph = build_pass(model, layout, shape, written.layers);
  PassProgram pass =
      PassCompiler(graph, parts, names).compile(shape.sequences(), written, chunk.first);
  pass.is_pass = true;
  pass.tokens = shape.tokens();
  pass.kv_appended =
      appended(sequence_cache(model, chunk.first, chunk.count, layout.tensor), shape);
  pass.activation_peak = graph.peak_live_bytes();
  if (parts.routed) pass.live_copies = graph.peak_live_copies();
  return pass;
}

PassProgram compile_token_message(int sequences, Message::Kind kind, Names& names) {
  PassProgram pass;
  Instruction& instruction = pass.instructions.emplace_back();
  instruction.name = names.of(kind == Message::Kind::kSend ? "send tokens" : "receive tokens");
  to_message(kind, MessageKind::kTokens, bytes_of_tokens(sequences), instruction);
  pass.places.push_back({0, 1, Place::kOutside, 1});
  return pass;
}

}  // namespace rehearse
