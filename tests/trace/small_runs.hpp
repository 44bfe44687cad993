// Programs and facts written by hand, for the sinks of a timeline.
#pragma once

#include <string>
#include <vector>

#include "timeline/timeline.hpp"
#include "trace/trace_options.hpp"

namespace rehearse {

// A world of tensor x data x pipeline ranks (tensor fastest) with an empty program per stage, all
// groups in place, and one request per replica.
Programs small_world(int tensor, int data, int pipeline);

// Each adds an instruction to the pass of `stage` that was begun last, which is then executed
// `repeat` times at least, and returns its number. "L3 qkv" is in layer 3 of the model.
int add_compute(Programs& programs, int stage, const std::string& name, OperatorClass op_class,
                int repeat = 1);
int add_collective(Programs& programs, int stage, const std::string& name, CollectiveOp op,
                   int repeat = 1);
int add_send(Programs& programs, int stage, int to_stage);
int add_receive(Programs& programs, int stage, int from_stage);

// Adds a pass of `sequences` requests to the program of `stage`, of which the instructions added
// after it are.
void add_pass(Programs& programs, int stage, Phase phase, int micro_batch, Share sequences);

Instruction& instruction_at(Programs& programs, int stage, int number);

// What a replay would report, in its order.
struct Facts {
  std::vector<Span> spans;
  std::vector<MemoryLevel> levels;
  Seconds makespan{0};
};

Span compute_span(Rank rank, int number, double start, double end, int step = 0);
Span transfer_span(Rank rank, int number, std::int64_t transfer, double ready, double start,
                   double end);

void write_trace(const Programs& programs, const Facts& facts, const TraceOptions& options);
// Operators of a rank that follow each other in `facts` and in time come together, as from a
// replay. REQUIRES: those of ranks with one program and first operator are as many.
void write_trace_of_runs(const Programs& programs, const Facts& facts, const TraceOptions& options);

}  // namespace rehearse
