// What every rank does, as instructions with amounts (FLOPs, bytes), never durations. Ranks with
// the same role (pipeline stage and micro-batch shapes) share one Program; what differs between
// them (coordinates, groups) is in RankEntry.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

using Rank = int;

enum class Stream : std::uint8_t { kCompute, kTensor, kExpert, kPipeline, kCount };
const char* to_text(Stream stream);  // "compute", "tp comm", "ep comm", "pp comm"

enum class Axis : std::uint8_t { kTensor, kExpert, kPipeline, kData, kCount };
const char* to_text(Axis axis);  // "tp", "ep", "pp", "dp"

enum class CollectiveOp : std::uint8_t { kAllReduce, kAllGather, kReduceScatter, kAllToAll };
const char* to_text(CollectiveOp op);  // "all_reduce", ...

enum class OperatorClass : std::uint8_t {
  kEmbedding,
  kNorm,
  kGemm,
  kAttentionPrefill,
  kAttentionDecode,
  kElementwise,
  kRouter,
  kExpertGemm,
  kSampling,
};
const char* to_text(OperatorClass op_class);

// An amount in the i-th repetition (0-based) of its block: base + i x per_step. Decode steps differ
// only by their growing KV cache, which is linear in the step, so one block repeated stands for all
// of them.
struct Amount {
  double base = 0;
  double per_step = 0;
  double at(int step) const { return base + step * per_step; }
};

// One forward pass of one micro-batch through one pipeline stage.
enum class Phase : std::uint8_t { kPrefill, kDecode };
struct Pass {
  Phase phase = Phase::kPrefill;
  int micro_batch = 0;
  int first_sequence =
      0;  // requests of this replica's micro-batch: [first_sequence, first_sequence + sequences)
  int sequences = 0;
  double tokens = 0;      // tokens entering the pass
  Bytes kv_appended;      // KV cache written on this rank (every layer of the stage)
  Bytes activation_peak;  // most bytes of live activations on this rank during the pass (liveness
                          // over the graph)
};

struct Instruction {
  enum class Kind : std::uint8_t {
    kPassBegin,   // memory: KV and activations of `pass` are allocated
    kPassEnd,     // memory: activations of `pass` are freed
    kCompute,     // flops and bytes on the compute stream
    kCollective,  // `op` over the rank's group on `axis`; bytes = the rank's send buffer
                  // (all_gather: its shard)
    kSend,        // bytes to the member at `peer_stage` of the pipeline group
    kRecv,        // the matching receive; starts when its sender does
  };
  Kind kind = Kind::kCompute;
  Stream stream = Stream::kCompute;
  Axis axis = Axis::kTensor;
  CollectiveOp op = CollectiveOp::kAllReduce;
  OperatorClass op_class = OperatorClass::kGemm;
  bool after_compute =
      false;  // communication: may not start before the compute stream's position here
  std::int16_t layer = -1;  // model layer, -1 outside layers
  std::int16_t peer_stage = -1;
  std::int32_t pass = -1;  // index in Program::passes
  std::int32_t name = -1;  // index in Programs::names
  std::array<std::int32_t, 2> waits = {
      -1, -1};             // slots whose communication must be complete before this starts
  std::int32_t slot = -1;  // communication: completion is recorded here
  Amount flops;            // compute
  double useful_flops_share =
      1;  // part of `flops` that is not repeated on other ranks (replicated router: 1/tp)
  Amount
      bytes;  // compute: memory traffic (weights + inputs + outputs); communication: message bytes
};

// Instructions [begin, end) executed `repeat` times; the repetition index is the decode step.
struct Block {
  int begin = 0;
  int end = 0;
  int repeat = 1;
};

struct Program {
  std::string role;  // "stage 1 of 2, 22 sequences": for dumps
  int stage = 0;
  std::vector<Instruction> instructions;
  std::vector<Block> blocks;
  std::vector<Pass> passes;
  int slots = 0;
  Bytes weights;  // held by each rank of the role
  Bytes communication_buffers;
};

// Ranks that communicate along one axis, in ring order.
struct ProcessGroup {
  Axis axis = Axis::kTensor;
  std::vector<Rank> ranks;
};

struct RankEntry {
  int program = 0;
  int replica = 0;         // dense data-parallel replica
  int first_sequence = 0;  // the replica's first request, global numbering
  std::array<std::int32_t, static_cast<int>(Axis::kCount)>
      group;  // index in Programs::groups; -1: group of one
};

struct Programs {
  std::vector<Program> programs;
  std::vector<RankEntry> ranks;
  std::vector<ProcessGroup> groups;
  std::vector<std::string> names;  // operator and collective names: "L3 qkv"

  const Program& of(Rank rank) const { return programs[ranks[rank].program]; }
};

}  // namespace rehearse
