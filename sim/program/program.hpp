// What every rank does, as instructions with amounts (FLOPs, bytes), never durations. Ranks with
// the same role (pipeline stage and micro-batch shapes) share one Program; what differs between
// them (coordinates, groups) is in RankEntry.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "collectives/collective_algorithm.hpp"
#include "graph/workload_graph.hpp"
#include "layout/layout.hpp"
#include "model/operators.hpp"
#include "routing/expert_routing.hpp"

namespace rehearse {

// Each stream executes in order; different streams overlap. Receives have a stream of their own, so
// that a rank's sends and receives may be in flight together.
enum class Stream : std::uint8_t {
  kCompute,
  kTensor,
  kExpert,
  kPipelineSend,
  kPipelineReceive,
  kCount
};
constexpr int kStreams = static_cast<int>(Stream::kCount);
const char* to_text(Stream stream);  // "compute", "tp comm", "ep comm", "pp send", "pp receive"

// One forward pass of one micro-batch through one pipeline stage.
struct Pass {
  Phase phase = Phase::kPrefill;
  int micro_batch = 0;
  Share sequences;    // requests of the replica in this micro-batch (numbered within the replica)
  double tokens = 0;  // tokens entering the pass on this replica
  Bytes kv_appended;  // KV cache written on this rank, all layers of the stage
  Bytes activation_peak;  // most bytes of live activations on this rank during the pass
  // Where routing is not uniform, instead: the peak for given copies is that of the highest.
  std::vector<LiveBytes> live_copies;
};

// What an instruction does for each copy of a token on its rank, where routing is not uniform.
struct RoutedWork {
  RoutedAmounts amounts;
  bool moves_weights = false;   // instead: the experts' weights that a new placement moves
  bool begins_experts = false;  // the first operator of the layer's experts
  bool ends_layer = false;      // the last instruction of the layer that needs the spread
};

struct Instruction {
  enum class Kind : std::uint8_t {
    kPassBegin,   // memory: KV and activations of `pass` are allocated
    kPassEnd,     // memory: activations of `pass` are freed
    kCompute,     // flops and bytes on the compute stream
    kCollective,  // `op` over the rank's group on `axis`; bytes = the rank's send buffer
    kSend,        // bytes to the member at `peer_stage` of the rank's pipeline group
    kReceive,     // the matching receive: buffers are posted ahead, so the sender alone decides the
                  // start
  };
  Kind kind = Kind::kCompute;
  Stream stream = Stream::kCompute;
  Axis axis = Axis::kTensor;
  CollectiveOp op = CollectiveOp::kAllReduce;
  OperatorClass op_class = OperatorClass::kGemm;
  std::int16_t layer = -1;  // model layer, -1 outside layers
  std::int16_t peer_stage = -1;
  std::int32_t pass = -1;  // index in Program::passes
  std::int32_t name = -1;  // index in Programs::names
  // Slots whose communication must be complete before this starts. Communication also waits for the
  // compute stream's position at this point of the program (its producer is an earlier instruction)
  // and for its own stream.
  std::array<std::int32_t, 3> waits = {-1, -1, -1};
  std::int32_t slot =
      -1;  // communication: where its completion is recorded; its own within its pass
  std::int32_t work = -1;  // compute: index in Program::works; -1: no shape is known
  Amount flops;            // compute
  double useful_flops_share =
      1;         // part of `flops` that is not repeated on other ranks (replicated router: 1/tp)
  Amount bytes;  // compute: memory traffic; communication: message bytes
  // all_to_all
  FanOut fan_out;
  std::int32_t splits = -1;  // index in Program::splits; -1: the buffer is split evenly
  std::int32_t routed = -1;  // index in Program::routed; -1: the amounts above hold
};

// Instructions [begin, end) executed `repeat` times. Repetition i is step first_step + i: the
// argument of Amount::at.
struct Block {
  int begin = 0;
  int end = 0;
  int repeat = 1;
  int first_step = 0;
};

struct Program {
  std::string role;  // for people: "stage 1: layers 8-15, 22 sequences"
  int stage = 0;
  Share layers;  // of the stage
  std::vector<Instruction> instructions;
  std::vector<Block> blocks;
  std::vector<Pass> passes;
  // Unequal splits of an all_to_all's buffer: the bytes for each member of the group (what the
  // member keeps too), in place of Instruction::bytes.
  std::vector<std::vector<Bytes>> splits;
  std::vector<RoutedWork> routed;
  std::vector<Work> works;
  int slots = 0;
  Bytes weights;  // held by each rank of the role
  Bytes communication_buffers;

  const Work& work_of(const Instruction& compute) const {
    static const Work kShapeless;
    return compute.work < 0 ? kShapeless : works[compute.work];
  }
};

struct RankEntry {
  int program = 0;
  Coordinates at;
  Share sequences;  // the requests of its data-parallel replica, numbered over the whole batch
  int gpu = 0;      // that it runs on: its number in the whole plan, of which this may be a part
};

struct Programs {
  std::vector<Program> programs;
  std::vector<RankEntry> ranks;
  ProcessGroups groups;
  std::array<const CollectiveAlgorithm*, kCollectiveOps>
      algorithms{};                              // nullptr: the fastest predicted, per transfer
  Dtype compute_dtype = Dtype::kBf16;            // of the fastest matrix products
  std::vector<std::string> names;                // of operators and collectives: "L3 qkv"
  std::shared_ptr<const ExpertRouting> routing;  // nullptr: uniform
  // Where these are one replica's, simulated for others that are alike: by rank of the whole plan,
  // the rank here that stands for it. Empty: these are the whole plan's.
  std::vector<Rank> image_of;

  const Program& of(Rank rank) const { return programs[ranks[rank].program]; }
  int all_ranks() const {  // of the whole plan
    return static_cast<int>(image_of.empty() ? ranks.size() : image_of.size());
  }
  int alike_replicas() const { return all_ranks() / static_cast<int>(ranks.size()); }
  // Its number in the whole plan, as people know it.
  Rank number_of(Rank rank) const { return image_of.empty() ? rank : ranks[rank].gpu; }
};

// Human-readable listing of every program, one line per instruction.
std::string dump(const Programs& programs);

}  // namespace rehearse
