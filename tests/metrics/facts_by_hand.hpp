// What a replay of two GPUs tells, written by hand.
#pragma once

#include "metrics/metrics.hpp"

namespace rehearse {

inline Device device_with(double peak, double efficiency, double memory) {
  Device device;
  device.peak = FlopsPerSecond{peak};
  device.compute_efficiency = efficiency;
  device.memory = Bytes{memory};
  return device;
}

// Two GPUs of different kinds: 100 FLOP/s and 100 bytes, 300 FLOP/s and 200 bytes.
inline Platform two_gpus() {
  Platform platform;
  platform.devices = {device_with(100, 0.5, 100), device_with(300, 0.8, 200)};
  platform.gpus = {{"a", 0, -1, ""}, {"b", 1, -1, ""}};
  return platform;
}

inline Instruction compute(OperatorClass op_class, double flops, double useful = 1) {
  Instruction at;
  at.op_class = op_class;
  at.flops.base = flops;
  at.useful_flops_share = useful;
  return at;
}

// A program of one action, a pass of `sequences` with these instructions.
inline void add_program(Programs& programs, const std::vector<Instruction>& instructions,
                        Share sequences, int stage = 0) {
  PassProgram pass;
  pass.is_pass = true;
  pass.instructions = instructions;
  pass.places = {{0, static_cast<int>(instructions.size()), Place::kOutside, 1}};
  Program program;
  program.stage = stage;
  Action& action = program.actions.emplace_back();
  action.pass = static_cast<std::int32_t>(programs.passes.size());
  action.sequences = sequences;
  program.loops = {{0, 1, 1, 0}};
  programs.passes.push_back(pass);
  programs.programs.push_back(program);
}

inline Span compute_span(Rank rank, int instruction, double start, double end, int step = 0) {
  Span span;
  span.rank = rank;
  span.instruction = instruction;
  span.step = step;
  span.ready = span.start = Seconds{start};
  span.end = Seconds{end};
  return span;
}

inline Span transfer_span(Rank rank, int instruction, double ready, double start, double end) {
  Span span = compute_span(rank, instruction, start, end);
  span.ready = Seconds{ready};
  span.transfer = 0;
  return span;
}

// Idle for `stall` before it, waiting for a transfer that had started at `transfer_start`.
inline Span stalled(Span span, double stall, Axis axis, double transfer_start) {
  span.stall = Seconds{stall};
  span.stalled_on = axis;
  span.stall_start_of_transfer = Seconds{transfer_start};
  return span;
}

}  // namespace rehearse
