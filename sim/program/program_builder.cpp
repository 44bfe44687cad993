// A role's actions in the order of its schedule: the micro-batches of prefill, then the decode
// steps, as a loop over the passes of one step. The last stage of a pipeline tells the first which
// tokens it has sampled, which lets the first begin their next step.
#include "program/program_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/stage_weights.hpp"
#include "program/written_layers.hpp"
#include "schedule/pipeline_schedule.hpp"

namespace rehearse {
namespace {

class ProgramBuilder {
 public:
  ProgramBuilder(const Model& model, const Plan& plan, const MicroBatches& batches,
                 const Role& role, PassLibrary& library)
      : model_(model),
        plan_(plan),
        batches_(batches),
        role_(role),
        library_(library),
        pipeline_(pipeline_shape(plan.layout)),
        routed_(routes_tokens(plan, model)),
        steps_(plan.batch.output_tokens - 1) {}

  Program build() {
    program_.stage = role_.stage;
    program_.layers = chunks_of_rank(plan_.layout, model_.layers, role_.stage);
    std::string layers;
    for (const Share& chunk : program_.layers) {
      layers += fmt::format("{}{}-{}", layers.empty() ? "" : " and ", chunk.first,
                            chunk.first + chunk.count - 1);
    }
    program_.role =
        fmt::format("stage {}: layers {}, {} sequences", role_.stage, layers, role_.sequences);
    program_.weights = weights_of_stage(model_, plan_, role_.stage);
    program_.communication_buffers = plan_.communication_buffers;
    prefill();
    if (steps_ > 0) decode();
    for (const Action& action : program_.actions) {
      program_.slots = std::max(program_.slots, library_.slots_of(action.pass));
    }
    return std::move(program_);
  }

 private:
  int stage_of(int chunk) const { return chunk * pipeline_.ranks + role_.stage; }
  bool samples(int chunk) const { return stage_of(chunk) + 1 == pipeline_.stages(); }
  // The first stage has to be told what the last has sampled.
  bool tells(int chunk) const { return pipeline_.stages() > 1 && samples(chunk); }

  void close_loop(int begin, int repeat, int first_step) {
    program_.loops.push_back(
        {begin, static_cast<int>(program_.actions.size()), repeat, first_step});
  }

  std::vector<Turn> turns(int micro_batches) const {
    PipelineShape shape = pipeline_;
    shape.micro_batches = micro_batches;
    return schedule_for(shape).turns(shape, role_.stage);
  }

  void prefill() {
    int told = 0;  // decode micro-batches whose first tokens are on their way to the first stage
    const int parts = decode_micro_batches(plan_);
    const int prefills = plan_.batch.micro_batches;
    for (const Turn& turn : turns(prefills)) {
      if (!runs(Phase::kPrefill, turn.micro_batch, prefills)) continue;
      const Share share = batches_.requests(Phase::kPrefill, role_.requests, turn.micro_batch);
      add_pass(Phase::kPrefill, turn, share, prefills);
      if (steps_ == 0 || !tells(turn.chunk)) continue;
      const auto sampled = [&](int decode_part) {
        const Share wanted = share_of(role_.sequences, parts, decode_part);
        return wanted.first + wanted.count <= share.first + share.count;
      };
      for (; told < parts && sampled(told); ++told) {
        if (runs(Phase::kDecode, told, parts)) send_tokens(told, parts);
      }
    }
    close_loop(0, 1, 0);
  }

  void decode() {
    const bool tells = this->tells(pipeline_.chunks - 1);
    if (tells && steps_ > 1) {
      const int begin = static_cast<int>(program_.actions.size());
      decode_step(true);
      close_loop(begin, steps_ - 1, 0);
    }
    // The last step's tokens go nowhere, so the last stage's last step has no send.
    const int begin = static_cast<int>(program_.actions.size());
    decode_step(false);
    close_loop(begin, tells ? 1 : steps_, tells ? steps_ - 1 : 0);
  }

  void decode_step(bool tell_first_stage) {
    const int parts = decode_micro_batches(plan_);
    for (const Turn& turn : turns(parts)) {
      const int part = turn.micro_batch;
      if (!runs(Phase::kDecode, part, parts)) continue;
      add_pass(Phase::kDecode, turn, share_of(role_.sequences, parts, part), parts);
      if (tell_first_stage && tells(turn.chunk)) send_tokens(part, parts);
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

  void add_pass(Phase phase, const Turn& turn, Share sequences, int parts) {
    const bool decodes = phase == Phase::kDecode;
    Action action;
    action.stage = stage_of(turn.chunk);
    action.layers = program_.layers[turn.chunk];
    action.micro_batch = turn.micro_batch;
    action.sequences = sequences;
    action.about = about(phase, turn.micro_batch);
    PassShape shape;
    shape.phase = phase;
    shape.sequences = sequences.count;
    shape.prompt_tokens = plan_.batch.prompt_tokens;
    shape.prompts = batches_.prompts(phase, role_.requests, turn.micro_batch);
    shape.group_tokens = group_tokens(phase, turn.micro_batch, parts);
    shape.layers = action.layers;
    shape.stage = action.stage;
    PassParts with;
    with.routed = routed_;
    with.receives_tokens = decodes && pipeline_.stages() > 1 && action.stage == 0;
    with.moves_experts = moves_experts(action.layers) && (!decodes || turn.micro_batch == 0);
    action.pass = library_.pass(shape, with);
    program_.actions.push_back(action);
  }

  // Experts are placed anew at the beginning of an iteration: a prefill micro-batch, a decode step.
  bool moves_experts(const Share& layers) const {
    return routed_ && plan_.placement.rebalance_every > 0 && expert_group_size(plan_.layout) > 1 &&
           model_.is_moe_layer(layers.first + layers.count - 1);
  }

  // The tokens that the pass before has sampled.
  void send_tokens(int part, int parts) {
    Action action = program_.actions.back();
    action.pass = library_.token_message(share_of(role_.sequences, parts, part).count);
    action.about = about(Phase::kDecode, part);
    program_.actions.push_back(action);
  }

  static int about(Phase phase, int part) { return 2 * part + static_cast<int>(phase); }

  const Model& model_;
  const Plan& plan_;
  const MicroBatches& batches_;
  const Role& role_;
  PassLibrary& library_;
  const PipelineShape pipeline_;
  const bool routed_;  // not uniform
  const int steps_;    // of decoding
  Program program_;
};

}  // namespace

PassLibrary::PassLibrary(const Model& model, const Plan& plan, Programs& programs)
    : model_(model),
      plan_(plan),
      programs_(programs),
      names_(programs.names),
      kinds_(layer_kinds(model)) {}

int PassLibrary::pass(const PassShape& shape, const PassParts& parts) {
  const auto first = kinds_.begin() + shape.layers.first;
  const Key key(shape.phase, shape.sequences, shape.prompt_tokens, shape.prompts,
                model_.moe ? shape.group_tokens : 0, shape.stage == 0,
                shape.stage + 1 == programs_.stages, {first, first + shape.layers.count},
                parts.receives_tokens, parts.moves_experts);
  const auto [at, is_new] = passes_.try_emplace(key, static_cast<int>(programs_.passes.size()));
  if (is_new) {
    programs_.passes.push_back(compile_pass(model_, plan_.layout, shape, kinds_, parts, names_));
  }
  return at->second;
}

int PassLibrary::token_message(int sequences) {
  const auto [at, is_new] =
      token_messages_.try_emplace(sequences, static_cast<int>(programs_.passes.size()));
  if (is_new) programs_.passes.push_back(compile_token_message(sequences, names_));
  return at->second;
}

Program build_program(const Model& model, const Plan& plan, const MicroBatches& batches,
                      const Role& role, PassLibrary& library) {
  return ProgramBuilder(model, plan, batches, role, library).build();
}

}  // namespace rehearse
