// What is known of an engine that serves or trains models, as plain data: each number with where it
// comes from. The schema, with the meaning of every number, is workloads/schema/engine.proto.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "devices/device_sheet.hpp"
#include "plan/plan.hpp"

namespace rehearse {

enum class EngineFigureId {
  kPerOperator,
  kPerCollective,
  kPerStep,
  kPerRequest,
  kSchedulerPerStep,
  kSchedulerPerRequest,
  kMemoryFraction,
  kCommunicationBuffers,
};

struct EngineFigureRow {
  EngineFigureId id;
  std::string_view path;  // in the schema: "per_operator"
  FigureUnit unit;
  std::string_view meaning;
};

// In the order of EngineFigureId, which is that of the files.
constexpr EngineFigureRow kEngineFigures[] = {
    {EngineFigureId::kPerOperator, "per_operator", FigureUnit::kTime,
     "added to the launch of each operator"},
    {EngineFigureId::kPerCollective, "per_collective", FigureUnit::kTime,
     "added to the launch of each communication operator"},
    {EngineFigureId::kPerStep, "per_step", FigureUnit::kTime, "of the host, before each pass"},
    {EngineFigureId::kPerRequest, "per_request", FigureUnit::kTime,
     "of the host, before the pass that prefills it"},
    {EngineFigureId::kSchedulerPerStep, "scheduler_per_step", FigureUnit::kTime,
     "of the host, for each step of a service"},
    {EngineFigureId::kSchedulerPerRequest, "scheduler_per_request", FigureUnit::kTime,
     "of the host, for each request in a step of a service"},
    {EngineFigureId::kMemoryFraction, "memory_fraction", FigureUnit::kShare,
     "of a GPU's memory that it uses by default"},
    {EngineFigureId::kCommunicationBuffers, "communication_buffers", FigureUnit::kBytes,
     "of it, what libraries and contexts hold by default"},
};
constexpr std::size_t kEngineFigureCount = std::size(kEngineFigures);

// The name of a collective library (collectives/library.hpp).
struct EngineLibrary : FigureOrigin {
  std::string name;
};

struct EngineProfile {
  std::string path;     // the file
  std::string name;     // of --engine
  std::string product;  // which software, and which of its versions
  std::array<std::optional<DeviceFigure>, kEngineFigureCount> figures;
  std::optional<EngineLibrary> library;  // absent: that of the GPUs' vendor

  // Nothing where the file does not say.
  const DeviceFigure* find(EngineFigureId id) const {
    const std::optional<DeviceFigure>& figure = figures[static_cast<std::size_t>(id)];
    return figure ? &*figure : nullptr;
  }
};

// "vllm: 1us per operator (measured), collectives of vllm (datasheet), 0.90 of the memory
// (datasheet); not known: per_collective, per_request".
std::string assumption_of(const EngineProfile& profile);

// For a plan: what is not known adds nothing.
PlanEngine plan_engine(const EngineProfile& profile);

}  // namespace rehearse
