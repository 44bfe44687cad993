#include "report/show_table.hpp"

#include <fmt/format.h>

#include <array>

#include "program/program_memory.hpp"
#include "report/show_model.hpp"

namespace rehearse {
namespace {

// By index in `groups`: the how many-th of its axis.
std::vector<std::int64_t> numbers_of(const ProcessGroups& groups) {
  std::array<std::int64_t, kAxes> next = {};
  std::vector<std::int64_t> numbers;
  numbers.reserve(groups.groups.size());
  for (const ProcessGroup& each : groups.groups) {
    numbers.push_back(next[static_cast<std::size_t>(each.axis)]++);
  }
  return numbers;
}

}  // namespace

Table rank_rows(const Plan& plan, const Platform& platform, const Programs& programs) {
  std::vector<ProgramMemory> memories;
  memories.reserve(programs.programs.size());
  for (const Program& each : programs.programs) memories.push_back(memory_of(programs, each));
  const std::vector<std::int64_t> numbers = numbers_of(programs.groups);
  Table table;
  for (Rank rank = 0; rank < static_cast<Rank>(programs.ranks.size()); ++rank) {
    const RankEntry& entry = programs.ranks[rank];
    const ProgramMemory& memory = memories[entry.program];
    const Device& device = platform.device_of(entry.gpu);
    NamedCells row = {{"rank", std::int64_t{rank}},
                      {"gpu", platform.gpus[entry.gpu].host},
                      {"role", programs.programs[entry.program].role},
                      {"tensor", std::int64_t{entry.at.tensor}},
                      {"context", std::int64_t{entry.at.context}},
                      {"expert", std::int64_t{entry.at.expert}},
                      {"data", std::int64_t{entry.at.data}},
                      {"pipeline", std::int64_t{entry.at.pipeline}}};
    for (int axis = 0; axis < kAxes; ++axis) {
      row.emplace_back(fmt::format("{}_group", to_text(static_cast<Axis>(axis))),
                       numbers[programs.groups.of_rank[rank][axis]]);
    }
    row.emplace_back("layers", layers_text(programs.of(rank).layers));
    row.emplace_back("requests", std::int64_t{entry.sequences.count});
    row.emplace_back("weights_bytes", memory.weights.value);
    row.emplace_back("kv_cache_bytes", memory.kv_cache.value);
    row.emplace_back("activations_bytes", memory.activations.value);
    row.emplace_back("communication_buffers_bytes", memory.communication_buffers.value);
    row.emplace_back("memory_bytes", memory.sum().value);
    row.emplace_back("usable_bytes", device.memory.value * plan.memory_fraction);
    row.emplace_back("capacity_bytes", device.memory.value);
    table.add(row);
  }
  return table;
}

}  // namespace rehearse
