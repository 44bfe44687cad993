// A role's actions, batch by batch, in the order of its schedule: the micro-batches of prefill,
// then the decode steps, as loops over the passes of one step as long as the same requests take
// part. The last stage of a pipeline tells the first which tokens it has sampled, which lets the
// first begin their next step; and, when a batch has ended, the next batch.
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
    program_.requests = work_.requests;
    for (decision_ = 0; decision_ < static_cast<int>(work_.batches.size()); ++decision_) {
      add_batch();
    }
    for (const Action& action : program_.actions) {
      program_.slots = std::max(program_.slots, library_.of(action.pass).slots);
    }
    return std::move(program_);
  }

 private:
  const BatchWork& batch() const { return work_.batches[decision_]; }
  const BatchWork* next_batch() const {
    const auto next = static_cast<std::size_t>(decision_) + 1;
    return next < work_.batches.size() ? &work_.batches[next] : nullptr;
  }

  int stage_of(int chunk) const { return chunk * pipeline_.ranks + stage_; }
  bool samples(int chunk) const { return stage_of(chunk) + 1 == pipeline_.stages(); }
  // The first stage has to be told what the last has sampled.
  bool tells(int chunk) const { return pipeline_.stages() > 1 && samples(chunk); }

  int size() const { return static_cast<int>(program_.actions.size()); }
  void close_loop(int begin, int repeat, int first_step) {
    program_.loops.push_back({begin, size(), repeat, first_step});
  }

  std::vector<Turn> turns(std::size_t micro_batches) const {
    return turns_of(plan_.layout, static_cast<int>(micro_batches), stage_);
  }

  void add_batch() {
    const int begin = size();
    prefill();
    for (std::size_t run = 0; run < batch().decodes.size(); ++run) decode(run);
    if (begin == size()) return;
    program_.actions[begin].not_before = batch().not_before;
    program_.actions[begin].waits_for_engine = decision_ > 0;
    const BatchWork* const next = next_batch();
    if (next == nullptr || !tells(pipeline_.chunks - 1)) return;
    const int told = size();
    send_tokens(batch().last(), next->first_pass);
    close_loop(told, 1, 0);
  }

  void prefill() {
    const int begin = size();
    const std::vector<int>& ends = batch().decode_ends;
    std::size_t told = 0;  // decode micro-batches whose first tokens are on their way to stage 0
    for (const Turn& turn : turns(batch().prefills.size())) {
      const PassWork& pass = batch().prefills[turn.micro_batch];
      if (!pass.runs) continue;
      add_pass(Phase::kPrefill, turn, pass, begin == size());
      if (ends.empty() || !tells(turn.chunk)) continue;
      const int sampled = pass.sequences.first + pass.sequences.count;
      for (; told < ends.size() && ends[told] <= sampled; ++told) {
        tell(batch().decodes.front(), static_cast<int>(told));
      }
    }
    close_loop(begin, 1, 0);
  }

  void decode(std::size_t index) {
    const DecodeRun& run = batch().decodes[index];
    const bool tells = this->tells(pipeline_.chunks - 1);
    if (tells && run.steps > 1) {
      const int begin = size();
      decode_step(run, &run);
      close_loop(begin, run.steps - 1, run.first_step);
    }
    // Tokens of requests that end go nowhere, so the last stage's last step has no sends.
    const bool last = index + 1 == batch().decodes.size();
    const int begin = size();
    decode_step(run, last ? nullptr : &batch().decodes[index + 1]);
    close_loop(begin, tells ? 1 : run.steps, run.first_step + (tells ? run.steps - 1 : 0));
  }

  // `next`: what the step behind it belongs to; nullptr: there is none.
  void decode_step(const DecodeRun& run, const DecodeRun* next) {
    for (const Turn& turn : turns(run.parts.size())) {
      const PassWork& pass = run.parts[turn.micro_batch];
      if (!pass.runs) continue;
      add_pass(Phase::kDecode, turn, pass, false, {run.first_step, run.steps});
      if (next != nullptr && tells(turn.chunk)) tell(*next, turn.micro_batch);
    }
  }

  // `begins`: it is the rank's first of the batch. `steps`: of the run that it is called in.
  void add_pass(Phase phase, const Turn& turn, const PassWork& pass, bool begins,
                const StepRange& steps = {}) {
    const bool decodes = phase == Phase::kDecode;
    Action action;
    action.phase = phase;
    action.stage = stage_of(turn.chunk);
    action.layers = program_.layers[turn.chunk];
    action.micro_batch = turn.micro_batch;
    action.sequences = pass.sequences;
    action.token = decodes ? 1 : 0;
    action.about = number_of(phase, turn.micro_batch);
    action.decision = decision_;
    PassShape shape;
    shape.slices = pass.slices;
    shape.grows = decodes;
    shape.steps = steps;
    shape.group_tokens = pass.group_tokens;
    shape.layers = action.layers;
    shape.stage = action.stage;
    shape.host = host_before(plan_, action.stage);
    PassParts with = parts_of_pass(model_, plan_, shape, phase, turn.micro_batch);
    if (begins && decision_ > 0 && pipeline_.stages() > 1 && action.stage == 0) {
      with.receives_tokens = true;
      with.sampled = work_.batches[decision_ - 1].last().sequences.count;
    }
    action.pass = library_.pass(plan_.layout, shape, with);
    program_.actions.push_back(action);
  }

  int number_of(Phase phase, int part) const {
    const int prefills = static_cast<int>(batch().prefills.size());
    return batch().first_pass + (phase == Phase::kDecode ? prefills : 0) + part;
  }

  // Lets the first stage begin the step of a micro-batch.
  void tell(const DecodeRun& run, int part) {
    if (run.parts[part].runs) send_tokens(run.parts[part], number_of(Phase::kDecode, part));
  }

  // The tokens that were sampled last, of these requests.
  void send_tokens(const PassWork& of, int about) {
    Action action = program_.actions.back();
    action.pass = library_.token_message(of.sequences.count);
    action.about = about;
    action.waits_for_engine = false;
    action.not_before = {};
    program_.actions.push_back(action);
  }

  const Model& model_;
  const Plan& plan_;
  const ReplicaWork& work_;
  const int stage_;  // on the pipeline axis
  PassLibrary& library_;
  const PipelineShape pipeline_;
  int decision_ = 0;  // the batch that is being added
  Program program_;
};

}  // namespace

Program build_program(const Model& model, const Plan& plan, const ReplicaWork& work, int stage,
                      PassLibrary& library) {
  return ProgramBuilder(model, plan, work, stage, library).build();
}

}  // namespace rehearse
