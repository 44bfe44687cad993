// One pass of a pipeline stage, or a message of its own, compiled once and called by actions: a
// list of instructions with amounts (FLOPs, bytes), never durations. Layers that are alike stand
// there once, and a place says how often.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/units.hpp"
#include "graph/workload_graph.hpp"
#include "layout/layout.hpp"
#include "model/operators.hpp"

namespace rehearse {

// Each stream executes in order; different streams overlap. Receives have a stream of their own, so
// that a rank's sends and receives may be in flight together. A GPU has one compute stream: two
// would let it exceed its peak.
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

// What a message between stages carries. With the stage that it is for it makes the lane in which
// messages of two ranks follow each other (Programs::lane).
enum class MessageKind : std::uint8_t { kActivations, kTokens };

// What an instruction does for each copy of a token on its rank, where routing is not uniform.
struct RoutedWork {
  RoutedAmounts amounts;
  bool moves_weights = false;   // instead: the experts' weights that a new placement moves
  bool begins_experts = false;  // the first operator of the layer's experts
  bool ends_layer = false;      // the last instruction of the layer that needs the spread
};

struct Instruction {
  enum class Kind : std::uint8_t {
    kCompute,     // flops and bytes on the compute stream
    kCollective,  // `op` over the rank's group on `axis`; bytes = the rank's send buffer
    kSend,        // bytes to the peer
    kReceive,     // the matching receive: buffers are posted ahead, so the sender alone decides the
                  // start
  };
  Kind kind = Kind::kCompute;
  Stream stream = Stream::kCompute;
  Axis axis = Axis::kTensor;
  CollectiveOp op = CollectiveOp::kAllReduce;
  OperatorClass op_class = OperatorClass::kGemm;
  MessageKind message = MessageKind::kActivations;
  // Messages: so many places on in the rank's group on `axis`, round and round; 1: the next.
  std::int16_t peer = 0;
  std::int32_t name = -1;  // index in Programs::names: "qkv"
  // Slots whose communication must be complete before this starts: PassProgram::waits, from here on
  // so many. Communication also waits for the compute stream's position at this point of the
  // program (its producer is an earlier instruction) and for its own stream.
  std::int32_t first_wait = 0;
  std::int32_t waits = 0;
  std::int32_t slot = -1;  // communication: where its completion is recorded; -1: nobody waits
  std::int32_t work = -1;  // compute: index in PassProgram::works; -1: no shape is known
  Amount flops;            // compute
  double useful_flops_share =
      1;         // part of `flops` that is not repeated on other ranks (replicated router: 1/tp)
  Amount bytes;  // compute: memory traffic; communication: message bytes
  // all_to_all
  FanOut fan_out;
  std::int32_t splits = -1;  // index in PassProgram::splits; -1: the buffer is split evenly
  std::int32_t routed = -1;  // index in PassProgram::routed; -1: the amounts above hold
};

// Instructions [begin, end) executed `repeat` times, once for each of as many layers.
struct Place {
  static constexpr int kOutside = -1;
  int begin = 0;
  int end = 0;
  int layer = kOutside;  // of the chunk: the first that it stands for
  int repeat = 1;
};

// Where an execution of a pass is: its next instruction.
struct Cursor {
  std::int32_t place = 0;
  std::int32_t repetition = 0;
  std::int32_t at = 0;

  bool operator==(const Cursor&) const = default;
};

struct PassProgram {
  std::vector<Instruction> instructions;
  std::vector<Place> places;  // none is empty
  std::vector<std::int32_t> waits;
  // Unequal splits of an all_to_all's buffer: the bytes for each member of the group (what the
  // member keeps too), in place of Instruction::bytes.
  std::vector<std::vector<Bytes>> splits;
  std::vector<RoutedWork> routed;
  std::vector<Work> works;
  int slots = 0;

  // Of a pass; nothing for a message of its own.
  bool is_pass = false;
  double tokens = 0;      // tokens entering the pass on the replica
  Bytes kv_appended;      // KV cache written on a rank, all layers of the chunk
  Bytes activation_peak;  // most bytes of live activations on a rank during the pass
  // Where routing is not uniform, instead: the peak for given copies is that of the highest.
  std::vector<LiveBytes> live_copies;
  // The peak before copies are counted.
  Bytes certain_activations() const;

  std::span<const std::int32_t> waits_of(const Instruction& instruction) const {
    return {waits.data() + instruction.first_wait, static_cast<std::size_t>(instruction.waits)};
  }

  const Work& work_of(const Instruction& compute) const {
    static const Work kShapeless;
    return compute.work < 0 ? kShapeless : works[compute.work];
  }

  Cursor first() const { return {0, 0, places.empty() ? 0 : places.front().begin}; }
  bool is_over(const Cursor& cursor) const {
    return cursor.place >= static_cast<int>(places.size());
  }
  // To the next instruction. REQUIRES: !is_over(cursor).
  void advance(Cursor& cursor) const {
    const Place& place = places[cursor.place];
    if (++cursor.at < place.end) return;
    if (++cursor.repetition < place.repeat) {
      cursor.at = place.begin;
      return;
    }
    cursor.repetition = 0;
    ++cursor.place;
    cursor.at = is_over(cursor) ? 0 : places[cursor.place].begin;
  }
  // Of the chunk; Place::kOutside outside layers.
  int layer_at(const Cursor& cursor) const {
    const Place& place = places[cursor.place];
    return place.layer < 0 ? place.layer : place.layer + cursor.repetition;
  }
  // Instructions that an execution has.
  std::int64_t executions() const;
};

}  // namespace rehearse
