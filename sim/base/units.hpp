// Strong types for the physical quantities of the simulator. A quantity is one double in its SI
// unit (bytes, FLOPs, seconds, and their quotients); the type keeps `Bytes + Seconds` from
// compiling and lets `Bytes / BytesPerSecond` be Seconds.
#pragma once

#include <compare>
#include <string>

namespace rehearse {

// A number with a dimension. `Dimension` is a tag; arithmetic is that of the real numbers.
template <class Dimension>
struct Quantity {
  double value = 0;

  // One by one, not by <=>: its partial order makes each comparison of the replay several branches.
  friend constexpr bool operator==(Quantity a, Quantity b) { return a.value == b.value; }
  friend constexpr bool operator<(Quantity a, Quantity b) { return a.value < b.value; }
  friend constexpr bool operator>(Quantity a, Quantity b) { return a.value > b.value; }
  friend constexpr bool operator<=(Quantity a, Quantity b) { return a.value <= b.value; }
  friend constexpr bool operator>=(Quantity a, Quantity b) { return a.value >= b.value; }
  constexpr Quantity& operator+=(Quantity other) { return value += other.value, *this; }
  constexpr Quantity& operator-=(Quantity other) { return value -= other.value, *this; }
  constexpr Quantity& operator*=(double factor) { return value *= factor, *this; }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(Quantity a, double k) { return {a.value * k}; }
  friend constexpr Quantity operator*(double k, Quantity a) { return {a.value * k}; }
  friend constexpr Quantity operator/(Quantity a, double k) { return {a.value / k}; }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value / b.value; }
};

using Bytes = Quantity<struct BytesDimension>;
using Flops =
    Quantity<struct FlopsDimension>;  // floating-point operations; one multiply-add counts as 2
using Seconds = Quantity<struct SecondsDimension>;
using BytesPerSecond = Quantity<struct BytesPerSecondDimension>;
using FlopsPerSecond = Quantity<struct FlopsPerSecondDimension>;

constexpr Seconds operator/(Bytes amount, BytesPerSecond rate) {
  return {amount.value / rate.value};
}
constexpr Seconds operator/(Flops amount, FlopsPerSecond rate) {
  return {amount.value / rate.value};
}
constexpr Bytes operator*(BytesPerSecond rate, Seconds time) { return {rate.value * time.value}; }
constexpr Flops operator*(FlopsPerSecond rate, Seconds time) { return {rate.value * time.value}; }

// Text to quantity. The text is a decimal number directly followed by a unit; a missing or unknown
// unit, a number that is not finite or is negative, or trailing characters throw
// std::invalid_argument with "VALUE: RULE" (no location: the caller knows the file and rethrows as
// InputError).
//   bytes       B kB KB MB GB TB (powers of 1000)   KiB MiB GiB TiB (powers of 1024)
//   bandwidth   Bps kBps MBps GBps TBps GiBps       bps kbps Mbps Gbps Tbps (bits)
//   flops rate  FLOPS GFLOPS TFLOPS PFLOPS, and SimGrid's f Gf Tf Pf
//   time        s ms us ns
Bytes parse_bytes(const std::string& text);
BytesPerSecond parse_bandwidth(const std::string& text);
FlopsPerSecond parse_flops_rate(const std::string& text);
Seconds parse_seconds(const std::string& text);

// Quantity to text a person reads, three significant digits: "8.59 GB", "1.44 TB/s", "4.71 s", "358
// us", "20.1 GFLOP".
std::string to_text(Bytes amount);
std::string to_text(BytesPerSecond rate);
std::string to_text(Flops amount);
std::string to_text(FlopsPerSecond rate);
std::string to_text(Seconds time);

}  // namespace rehearse
