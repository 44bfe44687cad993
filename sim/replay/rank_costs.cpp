// Operators in a row are one fact of the timeline, so a pass is cut into runs once. Where a place
// stands for several layers, a run looks the same in each but perhaps the last, behind which
// something else follows: so the runs of two repetitions are all. (A layer in which no run ends
// belongs to one run that begins before it, and nobody asks for one that begins inside.) A layer
// that takes turns with others stands at several places, each with runs of its own.
#include "replay/rank_costs.hpp"

namespace rehearse {
namespace {

bool in_runs(const Instruction& instruction) {
  return instruction.kind == Instruction::Kind::kCompute && instruction.routed < 0;
}

bool goes_on_with(const Instruction& before, const Instruction& next) {
  const bool alone = before.op_class == OperatorClass::kSampling ||
                     before.op_class == OperatorClass::kHost ||
                     next.op_class == OperatorClass::kHost;
  return in_runs(before) && in_runs(next) && !alone && next.waits == 0;
}

}  // namespace

PassCosts::PassCosts(const PassProgram& pass, const DeviceRates& device, int& numbered)
    : pass_(&pass), timed_(pass.instructions.size()) {
  const CostModel& model = cost_model(device);
  costs_.reserve(pass.instructions.size());
  for (const Instruction& at : pass.instructions) {
    OperatorPrice& price = costs_.emplace_back();
    if (at.kind != Instruction::Kind::kCompute) continue;
    price = OperatorPrice(model.time, pass.work_of(at), at.flops, at.bytes, device);
  }
  int indices = 0;
  for (const Place& place : pass.places) {
    first_index_.push_back(indices);
    indices += place.end - place.begin;
  }
  in_last_.assign(indices, -1);
  in_inner_.assign(indices, -1);
  for (int place = 0; place < static_cast<int>(pass.places.size()); ++place) {
    const int repeat = pass.places[place].repeat;
    if (repeat > 1) find_runs(place, 0, numbered);
    find_runs(place, repeat - 1, numbered);
  }
}

// Those that begin in the repetition.
void PassCosts::find_runs(int place, int repetition, int& numbered) {
  const std::vector<Place>& places = pass_->places;
  const Place& own = places[place];
  std::vector<int>& found = repetition + 1 == own.repeat ? in_last_ : in_inner_;
  int before = -1;
  if (repetition > 0) {
    before = own.end - 1;
  } else if (place > 0) {
    before = places[place - 1].end - 1;
  }
  for (int at = own.begin; at < own.end; before = at++) {
    const Instruction& instruction = pass_->instructions[at];
    if (!in_runs(instruction)) continue;
    if (before >= 0 && goes_on_with(pass_->instructions[before], instruction)) continue;
    const int run = add_run({place, repetition, at}, numbered);
    found[index_of(place, at)] = run;
  }
}

int PassCosts::add_run(const Cursor& first, int& numbered) {
  RunCost run;
  run.first = run.after = first;
  const Instruction* before = nullptr;
  while (!pass_->is_over(run.after)) {
    const Instruction& next = pass_->instructions[run.after.at];
    if (before != nullptr && !goes_on_with(*before, next)) break;
    run.grows = run.grows || costs_[run.after.at].grows();
    run.ends.emplace_back();
    run.instructions.push_back(run.after.at);
    before = &next;
    pass_->advance(run.after);
  }
  // The run of an inner repetition, unless it goes on behind the layers.
  const int inner = in_inner_[index_of(first.place, first.at)];
  const bool same = inner >= 0 && runs_[inner].instructions == run.instructions &&
                    runs_[inner].after.place == first.place && run.after.place == first.place;
  if (same) return inner;
  run.number = numbered++;
  runs_.push_back(std::move(run));
  return static_cast<int>(runs_.size()) - 1;
}

Seconds PassCosts::time_of(int instruction, double step) {
  const OperatorPrice& price = costs_[instruction];
  if (!price.grows()) return price.first().total;
  Timed& timed = timed_[instruction];
  if (timed.step != step) timed = {step, price.at(step)};
  return timed.time;
}

void PassCosts::renew(RunCost& run, double step) {
  run.step = step;
  Seconds end;
  for (std::size_t at = 0; at < run.ends.size(); ++at) {
    end += time_of(run.instructions[at], step);
    run.ends[at] = end;
  }
}

RankCosts::RankCosts(const Programs& programs, const Platform& platform)
    : programs_(programs), platform_(platform), rates_(device_rates(platform, programs.engine)) {
  int runs = 0;
  costs_.reserve(platform.devices.size() * programs.passes.size());
  for (const DeviceRates& device : rates_) {
    models_.push_back(&cost_model(device));
    for (const PassProgram& pass : programs.passes) {
      costs_.emplace_back(pass, device, runs);
    }
  }
}

KernelTime RankCosts::routed(Rank rank, const Work& work, Flops flops, Bytes bytes) const {
  const std::size_t device = device_of(rank);
  return models_[device]->time({work, 0, flops, bytes}, rates_[device]);
}

}  // namespace rehearse
