// What is known of a GPU, as plain data: each number with where it comes from. The schema, with the
// meaning of every number, is workloads/schema/device.proto.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "platform/collective_costs.hpp"
#include "platform/gpu_words.hpp"
#include "platform/operator_costs.hpp"

namespace rehearse {

enum class FigureKind { kDatasheet, kMeasured, kAssumed };
std::string_view to_text(FigureKind kind);

// Who says a number, or a row of them.
struct FigureOrigin {
  FigureKind kind = FigureKind::kAssumed;
  std::string source;
  std::string date;
  std::string note;  // empty: none
  SourceLocation where;
};

struct DeviceFigure : FigureOrigin {
  std::string text;  // as the file says it: "3.35TBps"
  double value = 0;  // in the SI unit of its quantity
};

enum class FigureUnit {
  kFlops,      // FLOP/s
  kBytes,      // B
  kBandwidth,  // B/s
  kTime,       // s
  kLatency,    // s, of a link
  kFrequency,  // Hz
  kShare,
  kCount,
  kPower,  // W
  kPrice,  // USD/h
};
std::string_view name_of(FigureUnit unit);  // "FLOP/s"; empty for shares and counts

// The value of such a text in its SI unit. Throws std::invalid_argument ("VALUE: RULE").
double parse_figure(const std::string& text, FigureUnit unit);

enum class FigureId {
  kPeakBf16,
  kPeakFp8,
  kPeakFp4,
  kPeakInt8,
  kPeakInt4,
  kPeakTf32,
  kPeakFp32,
  kMemoryCapacity,
  kMemoryBandwidth,
  kComputeUnits,
  kClock,
  kScaleUpGpus,
  kScaleUpPorts,
  kScaleUpPortBandwidth,
  kScaleUpLatency,
  kScaleUpSwitchPower,
  kScaleUpDimensions,
  kScaleUpWrapsAt,
  kScaleUpWrapsAtMultiplesOf,
  kPcieGeneration,
  kPcieLanes,
  kPcieLatency,
  kServerGpus,
  kServerSockets,
  kServerSocketBandwidth,
  kServerNics,
  kServerNicBandwidth,
  kServerNicPower,
  kServerNetworkShare,
  kPower,
  kPrice,
};

struct FigureRow {
  FigureId id;
  std::string_view path;  // in the schema: "memory.capacity"
  FigureUnit unit;
  std::string_view meaning;
};

// In the order of FigureId, which is that of the files.
constexpr FigureRow kFigures[] = {
    {FigureId::kPeakBf16, "peak.bf16", FigureUnit::kFlops, "dense peak of bf16 and fp16 products"},
    {FigureId::kPeakFp8, "peak.fp8", FigureUnit::kFlops, "dense peak of fp8 products"},
    {FigureId::kPeakFp4, "peak.fp4", FigureUnit::kFlops, "dense peak of fp4 products"},
    {FigureId::kPeakInt8, "peak.int8", FigureUnit::kFlops, "dense peak of int8 products"},
    {FigureId::kPeakInt4, "peak.int4", FigureUnit::kFlops, "dense peak of int4 products"},
    {FigureId::kPeakTf32, "peak.tf32", FigureUnit::kFlops, "dense peak of TF32 products"},
    {FigureId::kPeakFp32, "peak.fp32", FigureUnit::kFlops, "peak of fp32 in the vector units"},
    {FigureId::kMemoryCapacity, "memory.capacity", FigureUnit::kBytes, "as the driver reports it"},
    {FigureId::kMemoryBandwidth, "memory.bandwidth", FigureUnit::kBandwidth, "of the memory"},
    {FigureId::kComputeUnits, "compute_units", FigureUnit::kCount, "SMs, CUs or cores"},
    {FigureId::kClock, "clock", FigureUnit::kFrequency, "highest boost"},
    {FigureId::kScaleUpGpus, "scale_up.gpus", FigureUnit::kCount, "GPUs of a scale-up domain"},
    {FigureId::kScaleUpPorts, "scale_up.ports", FigureUnit::kCount, "scale-up ports of a GPU"},
    {FigureId::kScaleUpPortBandwidth, "scale_up.port_bandwidth", FigureUnit::kBandwidth,
     "of one port, one direction"},
    {FigureId::kScaleUpLatency, "scale_up.latency", FigureUnit::kLatency, "of one link"},
    {FigureId::kScaleUpSwitchPower, "scale_up.switch_power", FigureUnit::kPower,
     "a GPU's share of the switches"},
    {FigureId::kScaleUpDimensions, "scale_up.dimensions", FigureUnit::kCount, "of the torus"},
    {FigureId::kScaleUpWrapsAt, "scale_up.wraps_at", FigureUnit::kCount,
     "size at which a dimension's ends are joined"},
    {FigureId::kScaleUpWrapsAtMultiplesOf, "scale_up.wraps_at_multiples_of", FigureUnit::kCount,
     "sizes at which a dimension's ends are joined"},
    {FigureId::kPcieGeneration, "pcie.generation", FigureUnit::kCount, "PCIe generation"},
    {FigureId::kPcieLanes, "pcie.lanes", FigureUnit::kCount, "PCIe lanes of a GPU"},
    {FigureId::kPcieLatency, "pcie.latency", FigureUnit::kLatency, "of the GPU's PCIe link"},
    {FigureId::kServerGpus, "server.gpus", FigureUnit::kCount, "GPUs of a server"},
    {FigureId::kServerSockets, "server.sockets", FigureUnit::kCount, "host bridges of a server"},
    {FigureId::kServerSocketBandwidth, "server.socket_bandwidth", FigureUnit::kBandwidth,
     "between sockets, one direction"},
    {FigureId::kServerNics, "server.nics", FigureUnit::kCount, "NICs of a server"},
    {FigureId::kServerNicBandwidth, "server.nic_bandwidth", FigureUnit::kBandwidth,
     "of one NIC, one direction"},
    {FigureId::kServerNicPower, "server.nic_power", FigureUnit::kPower,
     "of a NIC, its optics and switch port"},
    {FigureId::kServerNetworkShare, "server.network_share", FigureUnit::kShare,
     "share of the NICs' rate that transfers reach"},
    {FigureId::kPower, "power", FigureUnit::kPower, "of the GPU alone, at most"},
    {FigureId::kPrice, "price", FigureUnit::kPrice, "of renting it, host and network included"},
};
constexpr std::size_t kFigureCount = std::size(kFigures);

enum class ConstantName {
  kComputeEfficiency,
  kMemoryEfficiency,
  kKernelLaunch,
  kCollectiveLaunch,
};
struct ConstantRow {
  ConstantName name;
  std::string_view text;
  FigureUnit unit;
  std::string_view meaning;
};
constexpr ConstantRow kConstants[] = {
    {ConstantName::kComputeEfficiency, "compute_efficiency", FigureUnit::kShare,
     "share of the peak that matrix kernels reach"},
    {ConstantName::kMemoryEfficiency, "memory_efficiency", FigureUnit::kShare,
     "share of the memory's bandwidth that kernels reach"},
    {ConstantName::kKernelLaunch, "kernel_launch", FigureUnit::kTime, "fixed time of an operator"},
    {ConstantName::kCollectiveLaunch, "collective_launch", FigureUnit::kTime,
     "fixed time of a communication operator"},
};

struct DeviceConstant {
  ConstantName name = ConstantName::kComputeEfficiency;
  DeviceFigure figure;
};

// A number of a row; as DeviceFigure has them.
struct CostNumber {
  std::string text;
  double value = 0;
};
// Its name is of the table's rows, its numbers are in the order of the table's fields.
template <std::size_t kFields>
struct DeviceCosts {
  std::string row;
  std::array<std::optional<CostNumber>, kFields> numbers;
  FigureOrigin origin;
};
using DeviceCollective = DeviceCosts<kCostFieldCount>;
using DeviceOperator = DeviceCosts<kOperatorFieldCount>;

struct DeviceSheet {
  std::string path;  // the file
  std::string name;  // of --gpu
  std::string product;
  Vendor vendor = Vendor::kNvidia;
  std::string architecture;
  std::string guesses;  // a sentence; empty: nothing in a platform file of it is assumed
  std::optional<ScaleUpTopology> topology;
  std::array<std::optional<DeviceFigure>, kFigureCount> figures;
  std::vector<DeviceConstant> constants;
  std::vector<DeviceCollective> collectives;
  std::vector<DeviceOperator> operators;

  // Nothing where the file does not say.
  const DeviceFigure* find(FigureId id) const {
    const std::optional<DeviceFigure>& figure = figures[static_cast<std::size_t>(id)];
    return figure ? &*figure : nullptr;
  }
  // SIM_CHECK: a sheet that passed check_sheet has it.
  const DeviceFigure& at(FigureId id) const;
  int count(FigureId id) const { return static_cast<int>(at(id).value); }

  const DeviceFigure& constant(ConstantName which) const;

  // Of all ports of a GPU together, one direction.
  BytesPerSecond scale_up_bandwidth() const;
  // Of its PCIe link, one direction, behind the encoding. REQUIRES: pcie.generation and lanes.
  BytesPerSecond pcie_bandwidth() const;
};

// What no single number shows: that those are there which others need, and that they fit each
// other. Throws InputError at the number, or at `where` of the message that lacks it.
void check_sheet(const DeviceSheet& sheet, const FieldLocations& where);

}  // namespace rehearse
