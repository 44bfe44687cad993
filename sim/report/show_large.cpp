// Roles that hold and need the same are one line; ranks are told by the axis that decides what they
// hold. `show --dump ranks` has them all.
#include "report/show_large.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "model/attention_kind.hpp"
#include "program/program_memory.hpp"
#include "report/show_operators.hpp"
#include "report/show_work.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kMostRoles = 8;
constexpr std::size_t kFewestOperators = 3;

// ---- roles

struct RoleLine {
  const Program* program = nullptr;
  int stages_to = 0;
  int layers_to = 0;
  std::string needs;
  Share requests;
  std::vector<Rank> ranks;
};

std::string needs_of(const ProgramMemory& memory) {
  return fmt::format("{:>9} {:>9} {:>11} {:>9} {:>9}", to_text(memory.weights),
                     to_text(memory.kv_cache), to_text(memory.activations),
                     to_text(memory.communication_buffers), to_text(memory.sum()));
}

int layers_of(const Program& program) {
  int layers = 0;
  for (const Share& chunk : program.layers) layers += chunk.count;
  return layers;
}

// The same but for the layers and the stage: neighbours only.
bool is_alike(const RoleLine& line, const Program& program, const std::string& needs,
              const Share& requests) {
  return line.needs == needs && line.requests.count == requests.count &&
         layers_of(*line.program) == layers_of(program) && program.layers.size() == 1 &&
         line.program->layers.size() == 1;
}

std::vector<RoleLine> role_lines(const Programs& programs) {
  std::vector<std::vector<Rank>> ranks(programs.programs.size());
  for (Rank rank = 0; rank < static_cast<int>(programs.ranks.size()); ++rank) {
    ranks[programs.ranks[rank].program].push_back(rank);
  }
  std::vector<RoleLine> lines;
  for (std::size_t at = 0; at < programs.programs.size(); ++at) {
    const Program& program = programs.programs[at];
    if (ranks[at].empty()) continue;
    const std::string needs = needs_of(memory_of(programs, program));
    const Share requests = programs.ranks[ranks[at].front()].sequences;
    const int last_layer =
        program.layers.empty() ? -1 : program.layers.back().first + program.layers.back().count - 1;
    if (!lines.empty() && is_alike(lines.back(), program, needs, requests)) {
      RoleLine& line = lines.back();
      line.stages_to = program.stage;
      line.layers_to = std::max(line.layers_to, last_layer);
      line.ranks.insert(line.ranks.end(), ranks[at].begin(), ranks[at].end());
      continue;
    }
    lines.push_back({&program, program.stage, last_layer, needs, requests, ranks[at]});
  }
  return lines;
}

std::string roles_part(const Plan& plan, const Platform& platform, const Programs& programs) {
  const std::vector<RoleLine> lines = role_lines(programs);
  const Bytes memory = platform.device_of(programs.ranks.front().gpu).memory;
  std::string text = fmt::format(
      "Roles (ranks of one role run the same program); memory of a rank at most, of {} usable "
      "({:.2f} of {})\n"
      "  {:<8} {:<10} {:>8} {:>9} {:>9} {:>11} {:>9} {:>9}  ranks\n",
      to_text(memory * plan.memory_fraction), plan.memory_fraction, to_text(memory), "stage",
      "layers", "requests", "weights", "KV cache", "activations", "buffers", "all");
  for (std::size_t at = 0; at < std::min(lines.size(), kMostRoles); ++at) {
    const RoleLine& line = lines[at];
    const Program& program = *line.program;
    const std::string stage = program.stage == line.stages_to
                                  ? std::to_string(program.stage)
                                  : fmt::format("{}-{}", program.stage, line.stages_to);
    const std::string layers =
        program.layers.size() == 1
            ? fmt::format("{}-{}", program.layers.front().first, line.layers_to)
            : layers_text(program.layers);
    std::vector<Rank> sorted = line.ranks;
    std::sort(sorted.begin(), sorted.end());
    text += fmt::format("  {:<8} {:<10} {:>8} {}  {}\n", stage, layers, line.requests.count,
                        line.needs, ranges(sorted));
  }
  if (lines.size() > kMostRoles) {
    text += fmt::format("  and {} more\n", lines.size() - kMostRoles);
  }
  return text;
}

// ---- ranks

// What the ranks hold that differ from the first in these coordinates only.
template <class Held>
std::vector<std::string> along(const Programs& programs,
                               const std::vector<int Coordinates::*>& axes, const Held& held) {
  std::vector<std::string> texts;
  const Coordinates first = programs.ranks.front().at;
  for (Rank rank = 0; rank < static_cast<int>(programs.ranks.size()); ++rank) {
    Coordinates at = programs.ranks[rank].at;
    for (int Coordinates::*const axis : axes) at.*axis = first.*axis;
    if (at == first) texts.push_back(held(rank));
  }
  return texts;
}

// "64-127", "3"
std::string items_text(const Share& items) {
  if (items.count == 1) return std::to_string(items.first);
  return fmt::format("{}-{}", items.first, items.first + items.count - 1);
}

std::string coordinates_text(const Coordinates& at, const std::vector<int Coordinates::*>& axes) {
  std::string text;
  for (int Coordinates::*const axis : axes) {
    const char* const name = axis == &Coordinates::tensor   ? "tp"
                             : axis == &Coordinates::expert ? "ep"
                             : axis == &Coordinates::data   ? "dp"
                                                            : "pp";
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", name, at.*axis);
  }
  return text;
}

std::string heads_line(const Model& model, const Layout& layout, const Programs& programs) {
  const std::vector<int Coordinates::*> axes = {&Coordinates::tensor};
  return first_and_last(along(programs, axes, [&](Rank rank) {
    const Coordinates& at = programs.ranks[rank].at;
    const Share heads = share_of(attention_heads(model).query, layout.tensor, at.tensor);
    return fmt::format("{}: {}", coordinates_text(at, axes), items_text(heads));
  }));
}

std::string experts_line(const Model& model, const Layout& layout, const Programs& programs) {
  const bool whole = expert_tensor_degree(layout) == 1;
  std::vector<int Coordinates::*> axes = {&Coordinates::expert};
  if (whole && layout.tensor > 1) axes.push_back(&Coordinates::tensor);
  return first_and_last(along(
             programs, axes,
             [&](Rank rank) {
               const Coordinates& at = programs.ranks[rank].at;
               const int place = whole ? at.expert * layout.tensor + at.tensor : at.expert;
               const Share experts = share_of(model.moe->experts, expert_group_size(layout), place);
               return fmt::format("{}: {}", coordinates_text(at, axes), items_text(experts));
             })) +
         (whole
              ? std::string()
              : fmt::format("; of each the columns of 1/{}, by tp", expert_tensor_degree(layout)));
}

std::string ranks_part(const Model& model, const Plan& plan, const Programs& programs,
                       const Platform& platform) {
  const Rank last = static_cast<Rank>(programs.ranks.size()) - 1;
  const auto host = [&](Rank rank) { return platform.gpus[programs.ranks[rank].gpu].host; };
  std::string text = fmt::format("Ranks: 0-{} on {} ... {}, numbered in the order {}\n", last,
                                 host(0), host(last), plan.layout.order);
  text += "  heads     " + heads_line(model, plan.layout, programs) + "\n";
  if (model.moe && programs.routing != nullptr) {
    text += "  experts   placed by the loads of the routing (--dump ranks says which)\n";
  } else if (model.moe) {
    text += "  experts   " + experts_line(model, plan.layout, programs) + "\n";
  }
  const std::vector<int Coordinates::*> axes = {&Coordinates::expert, &Coordinates::data};
  text += "  requests  " +
          first_and_last(along(programs, axes,
                               [&](Rank rank) {
                                 const Share& share = programs.ranks[rank].sequences;
                                 const std::string at =
                                     coordinates_text(programs.ranks[rank].at, axes);
                                 if (plan.serve || share.count == 0)
                                   return fmt::format("{}: {}", at, share.count);
                                 return fmt::format("{}: {}", at, items_text(share));
                               })) +
          "\n";
  return text;
}

std::string groups_part(const ProcessGroups& groups) {
  std::string text;
  for (int axis = 0; axis < kAxes; ++axis) {
    std::vector<std::string> all;
    std::size_t least = SIZE_MAX;
    std::size_t most = 0;
    for (const ProcessGroup& group : groups.groups) {
      if (group.axis != static_cast<Axis>(axis)) continue;
      all.push_back("(" + group_text(group.ranks) + ")");
      least = std::min(least, group.ranks.size());
      most = std::max(most, group.ranks.size());
    }
    if (most <= 1) continue;  // nobody to speak with
    text += fmt::format("  {:<4} {} group{} of {}: {}\n", to_text(static_cast<Axis>(axis)),
                        all.size(), all.size() == 1 ? "" : "s",
                        least == most ? std::to_string(most) : fmt::format("{}-{}", least, most),
                        first_and_last(all));
  }
  return text.empty() ? text : "Process groups\n" + text;
}

}  // namespace

std::string ranges(const std::vector<Rank>& ranks) {
  std::string text;
  for (std::size_t at = 0; at < ranks.size();) {
    std::size_t last = at;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", ranks[at]);
    if (last > at) text += fmt::format("-{}", ranks[last]);
    at = last + 1;
  }
  return text;
}

std::string group_text(const std::vector<Rank>& ranks) {
  constexpr std::size_t kListed = 4;
  std::string all = ranges(ranks);
  const bool one_range = all.find(',') == std::string::npos;
  if (one_range || ranks.size() <= kListed) return all;
  bool steps = true;
  for (std::size_t at = 2; at < ranks.size(); ++at) {
    steps = steps && ranks[at] - ranks[at - 1] == ranks[1] - ranks[0];
  }
  if (steps) return fmt::format("{},{}...{}", ranks[0], ranks[1], ranks.back());
  constexpr std::size_t kShort = 24;
  if (all.size() <= kShort) return all;
  const std::size_t first = all.find(',');
  const std::size_t last = all.rfind(',');
  return all.substr(0, first) + ",...," + all.substr(last + 1);
}

std::string first_and_last(const std::vector<std::string>& items) {
  constexpr std::size_t kListed = 4;
  if (items.size() <= kListed) return fmt::format("{}", fmt::join(items, " "));
  return fmt::format("{} {} ... {}", items[0], items[1], items.back());
}

std::string wrapped_lines(const std::string& text, std::size_t columns) {
  std::istringstream lines(text);
  std::string wrapped;
  for (std::string line; std::getline(lines, line);) {
    const std::string indent(
        line.find_first_not_of(' ') == std::string::npos ? 0 : line.find_first_not_of(' ') + 2,
        ' ');
    while (line.size() > columns) {
      const std::size_t space = line.rfind(' ', columns);
      if (space == std::string::npos || space <= indent.size()) break;  // one long word
      wrapped.append(line, 0, space).append("\n");
      line.replace(0, space + 1, indent);
    }
    wrapped += line + "\n";
  }
  return wrapped;
}

std::string show_large(const Model& model, const Plan& plan, const Platform& platform,
                       const Programs& programs, const std::string& before) {
  const std::string roles = roles_part(plan, platform, programs);
  const std::string head = fmt::format("Operators, the largest parts of a pass first: {}\n",
                                       shown_passes(plan, programs, platform));
  const std::string after = show_work(model, plan, programs) +
                            ranks_part(model, plan, programs, platform) +
                            groups_part(programs.groups);
  const std::string above = wrapped_lines(before + roles + head, kScreenColumns);
  const std::string below = wrapped_lines(after, kScreenColumns);
  // Below it says what its engine is (service/engine_text.hpp), or each pool's.
  const long lines_of_engine = plan.serve && plan.serve->pools ? 20 : 10;
  const long used = std::count(above.begin(), above.end(), '\n') +
                    std::count(below.begin(), below.end(), '\n') + 2 +
                    (plan.serve ? lines_of_engine : 0);
  const std::size_t most = std::max<long>(kScreenLines - used, static_cast<long>(kFewestOperators));
  return above + longest_operators(plan, programs, platform, most) + below;
}

}  // namespace rehearse
