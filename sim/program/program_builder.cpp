// A role's actions in the order of its schedule: the micro-batches of prefill, then the decode
// steps, as loops over the passes of one step. The last stage of a pipeline tells the first which
// tokens it has sampled, which lets the first begin their next step.
#include "program/program_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/stage_weights.hpp"
#include "schedule/pipeline_schedule.hpp"

namespace rehearse {
namespace {

class ProgramBuilder {
 public:
  ProgramBuilder(const Model& model, const Plan& plan, const ReplicaWork& work, int stage,
                 PassLibrary& library)
      : model_(model),
        plan_(plan),
        work_(work),
        stage_(stage),
        library_(library),
        pipeline_(pipeline_shape(plan.layout)) {}

  Program build() {
    program_.stage = stage_;
    program_.layers = chunks_of_rank(plan_.layout, model_.layers, stage_);
    program_.role = fmt::format("stage {}: layers {}, {} sequences", stage_,
                                layers_text(program_.layers), work_.sequences);
    program_.weights = weights_of_stage(model_, plan_, stage_);
    program_.communication_buffers = plan_.communication_buffers;
    prefill();
    if (work_.steps > 0) decode();
    for (const Action& action : program_.actions) {
      program_.slots = std::max(program_.slots, library_.of(action.pass).slots);
    }
    return std::move(program_);
  }

 private:
  int stage_of(int chunk) const { return chunk * pipeline_.ranks + stage_; }
  bool samples(int chunk) const { return stage_of(chunk) + 1 == pipeline_.stages(); }
  // The first stage has to be told what the last has sampled.
  bool tells(int chunk) const { return pipeline_.stages() > 1 && samples(chunk); }

  int size() const { return static_cast<int>(program_.actions.size()); }
  void close_loop(int begin, int repeat, int first_step) {
    program_.loops.push_back({begin, size(), repeat, static_cast<double>(first_step)});
  }

  std::vector<Turn> turns(std::size_t micro_batches) const {
    return turns_of(plan_.layout, static_cast<int>(micro_batches), stage_);
  }

  void prefill() {
    const int begin = size();
    std::size_t told = 0;  // decode micro-batches whose first tokens are on their way to stage 0
    for (const Turn& turn : turns(work_.prefills.size())) {
      const PassWork& pass = work_.prefills[turn.micro_batch];
      if (!pass.runs) continue;
      add_pass(Phase::kPrefill, turn, pass);
      if (!tells(turn.chunk)) continue;
      const int sampled = end_of(pass);
      for (; told < work_.decodes.size() && end_of(work_.decodes[told]) <= sampled; ++told) {
        tell(static_cast<int>(told));
      }
    }
    close_loop(begin, 1, 0);
  }

  // A decode micro-batch begins when all requests before this one have their first token.
  static int end_of(const PassWork& pass) { return pass.sequences.first + pass.sequences.count; }

  void decode() {
    const bool tells = this->tells(pipeline_.chunks - 1);
    if (tells && work_.steps > 1) {
      const int begin = size();
      decode_step(true);
      close_loop(begin, work_.steps - 1, 0);
    }
    // The last tokens go nowhere, so the last stage's last step has no sends.
    const int begin = size();
    decode_step(false);
    close_loop(begin, tells ? 1 : work_.steps, tells ? work_.steps - 1 : 0);
  }

  void decode_step(bool goes_on) {
    for (const Turn& turn : turns(work_.decodes.size())) {
      const PassWork& pass = work_.decodes[turn.micro_batch];
      if (!pass.runs) continue;
      add_pass(Phase::kDecode, turn, pass, {0, work_.steps});
      if (goes_on && tells(turn.chunk)) tell(turn.micro_batch);
    }
  }

  // `steps`: of the run that it is called in.
  void add_pass(Phase phase, const Turn& turn, const PassWork& pass, const StepRange& steps = {}) {
    const bool decodes = phase == Phase::kDecode;
    Action action;
    action.phase = phase;
    action.stage = stage_of(turn.chunk);
    action.layers = program_.layers[turn.chunk];
    action.micro_batch = turn.micro_batch;
    action.sequences = pass.sequences;
    action.token = decodes ? 1 : 0;
    action.about = number_of(phase, turn.micro_batch);
    PassShape shape;
    shape.slices = pass.slices;
    shape.grows = decodes;
    shape.steps = steps;
    shape.group_tokens = pass.group_tokens;
    shape.layers = action.layers;
    shape.stage = action.stage;
    shape.host = host_before(plan_, action.stage);
    const PassParts with = parts_of_pass(model_, plan_, shape, phase, turn.micro_batch);
    action.pass = library_.pass(plan_.layout, shape, with);
    program_.actions.push_back(action);
  }

  int number_of(Phase phase, int part) const {
    return (phase == Phase::kDecode ? static_cast<int>(work_.prefills.size()) : 0) + part;
  }

  // Lets the first stage begin the next step of a decode micro-batch: the tokens that were sampled
  // last.
  void tell(int part) {
    if (!work_.decodes[part].runs) return;
    Action action = program_.actions.back();
    action.pass = library_.token_message(work_.decodes[part].sequences.count);
    action.about = number_of(Phase::kDecode, part);
    program_.actions.push_back(action);
  }

  const Model& model_;
  const Plan& plan_;
  const ReplicaWork& work_;
  const int stage_;  // on the pipeline axis
  PassLibrary& library_;
  const PipelineShape pipeline_;
  Program program_;
};

}  // namespace

Program build_program(const Model& model, const Plan& plan, const ReplicaWork& work, int stage,
                      PassLibrary& library) {
  return ProgramBuilder(model, plan, work, stage, library).build();
}

}  // namespace rehearse
