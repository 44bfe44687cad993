// What every rank does: actions, each of which calls the program of a pass. Ranks with the same
// role (pipeline stage and micro-batch shapes) share one Program; what differs between them
// (coordinates, groups) is in RankEntry.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "collectives/library.hpp"
#include "layout/layout.hpp"
#include "plan/plan.hpp"
#include "program/pass_program.hpp"
#include "routing/expert_routing.hpp"

namespace rehearse {

// Of the requests of a batch: their prompts, or their next tokens; a step of a service may have
// both.
enum class Phase : std::uint8_t { kPrefill, kDecode, kMixed };
inline constexpr std::array kPhases = {Phase::kPrefill, Phase::kDecode};  // of a batch
const char* to_text(Phase phase);  // "prefill", "decode", "prefill and decode"

// A call of a pass program.
struct Action {
  std::int32_t pass = 0;  // index in Programs::passes
  Phase phase = Phase::kPrefill;
  std::int32_t stage = 0;  // of the pipeline, that the chunk is: 0 has the embedding
  Share layers;            // of the chunk
  std::int32_t micro_batch = 0;
  Share sequences;  // requests of the replica in this micro-batch (numbered within the replica)
  // Which of the sequences' output tokens is sampled at step 0; the others follow step by step.
  std::int32_t token = 0;
  // The number of the micro-batch's pass, over all phases; of a message of its own, that of the
  // pass which it lets the receiver begin. The same on all ranks that exchange something.
  std::int32_t about = 0;
  // Of a step of a service: when it begins, and what the rank's KV cache holds from then on; below
  // 0: what the pass appends is added to it.
  Seconds not_before;
  Bytes kv_held{-1};

  // Of the model; Place::kOutside outside layers.
  int layer(int of_chunk) const { return of_chunk < 0 ? of_chunk : layers.first + of_chunk; }
};

// Actions [begin, end) executed `repeat` times. Repetition i is step first_step + i: the argument
// of Amount::at.
struct Loop {
  int begin = 0;
  int end = 0;
  int repeat = 1;
  double first_step = 0;  // of a service: any, for it stands for the mean context of a batch
};

struct Program {
  std::string role;           // for people: "stage 1: layers 8-15, 22 sequences"
  int stage = 0;              // of the pipeline axis
  std::vector<Share> layers;  // of its chunks
  std::vector<Action> actions;
  std::vector<Loop> loops;
  int slots = 0;
  Bytes weights;  // held by each rank of the role
  Bytes communication_buffers;
};

struct RankEntry {
  int program = 0;
  Coordinates at;
  Share sequences;   // the requests of its data-parallel replica, numbered over the whole batch
  int gpu = 0;       // that it runs on: its number in the whole plan, of which this may be a part
  int replica = -1;  // of a service
};

// When a request of a service got what.
struct RequestDates {
  int replica = 0;
  Seconds arrival;
  Seconds first_token;
  Seconds last_token;
  int tokens = 0;  // 0: it was refused
};

struct Programs {
  std::vector<PassProgram> passes;
  std::vector<Program> programs;
  std::vector<RankEntry> ranks;
  ProcessGroups groups;
  CollectiveUse collectives;
  EngineTimes engine;
  Dtype compute_dtype = Dtype::kBf16;            // of the fastest matrix products
  std::vector<std::string> names;                // of operators and collectives: "qkv"
  std::shared_ptr<const ExpertRouting> routing;  // nullptr: uniform
  // Where these are one replica's, simulated for others that are alike: by rank of the whole plan,
  // the rank here that stands for it. Empty: these are the whole plan's.
  std::vector<Rank> image_of;
  // Where these are the steps of a service: all its requests. Actions then name none.
  std::vector<RequestDates> served;

  const Program& of(Rank rank) const { return programs[ranks[rank].program]; }
  const Action& action(Rank rank, int action) const { return of(rank).actions[action]; }
  const PassProgram& pass_of(const Action& action) const { return passes[action.pass]; }
  // The action itself, or where it is a message of its own, the pass behind which it stands; -1:
  // there is none.
  int pass_about(const Program& program, int action) const;
  // "qkv", "" where it has no name.
  std::string name_of(const Instruction& instruction) const {
    return instruction.name < 0 ? "" : names[instruction.name];
  }
  // The i-th request of the rank's action.
  static int request_of(const RankEntry& rank, const Action& action, int i) {
    return rank.sequences.first + action.sequences.first + i;
  }
  // With the layer: "L3 qkv".
  std::string name_in_layer(const Instruction& instruction, int layer) const;

  // Whom the rank's message goes to or comes from.
  Rank peer_of(Rank rank, const Instruction& message) const {
    return groups.of(rank, message.axis).on_from(rank, message.peer);
  }
  // Of a message: what it carries, for which stage. Messages of one lane between two ranks come in
  // the order in which they were sent. Tokens are for the first stage.
  static int lane_of(const Action& action, const Instruction& instruction) {
    if (instruction.message == MessageKind::kTokens) return 0;
    return action.stage + (instruction.kind == Instruction::Kind::kSend ? 1 : 0);
  }

  int all_ranks() const {  // of the whole plan
    return static_cast<int>(image_of.empty() ? ranks.size() : image_of.size());
  }
  int alike_replicas() const { return all_ranks() / static_cast<int>(ranks.size()); }
  // Its number in the whole plan, as people know it.
  Rank number_of(Rank rank) const { return image_of.empty() ? rank : ranks[rank].gpu; }
};

// "0-3 and 8-11": of a rank's chunks.
std::string layers_text(const std::vector<Share>& chunks);

// Human-readable listing of every program, one line per instruction, layers written out.
std::string dump(const Programs& programs);

}  // namespace rehearse
