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

inline Instruction compute(OperatorClass op_class, double flops, int pass, double useful = 1) {
  Instruction at;
  at.op_class = op_class;
  at.flops.base = flops;
  at.pass = pass;
  at.useful_flops_share = useful;
  return at;
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
