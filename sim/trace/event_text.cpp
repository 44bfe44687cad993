#include "trace/event_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "trace/json_text.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kMostRanksListed = 64;

const char* op_text(const Instruction& instruction) {
  switch (instruction.kind) {
    case Instruction::Kind::kSend:
      return "send";
    case Instruction::Kind::kReceive:
      return "receive";
    default:
      return to_text(instruction.op);
  }
}

void append_number(std::string& out, const char* key, std::int64_t number) {
  out += key;
  out += fmt::format_int(number).c_str();
}

// Where an instruction stands in its program.
struct InstructionPlace {
  const Program& program;
  int action = 0;
  int layer = Place::kOutside;
  bool repeated = false;
};

// The program's part of args, beginning with the pass ("outside" where an instruction has none).
void append_arguments(std::string& out, const Programs& programs, const InstructionPlace& place,
                      const InstructionText& text) {
  const Instruction& instruction = *text.instruction;
  if (const int pass = programs.pass_about(place.program, place.action); pass >= 0) {
    const Action& action = place.program.actions[pass];
    out.append("\"pass\":\"").append(to_text(action.phase));
    if (programs.served.empty()) append_number(out, " mb ", action.micro_batch);
    out += '"';
  } else {
    out += "\"pass\":\"outside\"";
  }
  if (place.layer >= 0) append_number(out, ",\"layer\":", place.layer);
  if (text.communication) out.append(",\"op\":\"").append(op_text(instruction)).append("\"");
  if (!text.communication && !text.growing_flops) {
    append_number(out, ",\"flops\":", std::llround(instruction.flops.base));
  }
  if (!text.growing_bytes) {
    append_number(out, ",\"bytes\":", std::llround(instruction.bytes.base));
  }
}

// `heads` gets the instruction's.
InstructionText render_instruction(const Programs& programs, const InstructionPlace& place,
                                   const Instruction& instruction, std::string_view name,
                                   std::string& heads) {
  const PassProgram& pass = programs.pass_of(place.program.actions[place.action]);
  InstructionText text;
  text.instruction = &instruction;
  text.communication = instruction.kind != Instruction::Kind::kCompute;
  text.repeated = place.repeated;
  text.samples = !text.communication && instruction.op_class == OperatorClass::kSampling;
  const bool routed = instruction.routed >= 0;
  text.growing_flops = !text.communication && (instruction.flops.per_step != 0 || routed);
  text.growing_bytes = instruction.bytes.per_step != 0 || routed;
  text.counts_copies = routed && pass.routed[instruction.routed].begins_experts;
  text.begin = heads.size();
  heads.append(",\n{\"ph\":\"X\",\"name\":\"");
  if (place.layer >= 0) append_number(heads, "L", place.layer);
  heads.append(place.layer >= 0 ? " " : "").append(name).append("\",\"cat\":\"");
  heads.append(text.communication ? "communication" : to_text(instruction.op_class));
  heads.append("\",\"args\":{");
  append_arguments(heads, programs, place, text);
  text.size = static_cast<std::uint32_t>(heads.size() - text.begin);
  return text;
}

std::string render_ranks(const RankCopies& copies, std::vector<Rank> ranks) {
  for (Rank& rank : ranks) rank = copies.number_of(rank);
  return fmt::format("[{}]", fmt::join(ranks, ", "));
}

std::string render_metadata(const char* what, std::uint32_t pid, std::uint32_t tid,
                            const std::string& args) {
  const std::string thread = tid == 0 ? "" : fmt::format("\"tid\":{},", tid);
  return fmt::format("{{\"ph\":\"M\",\"name\":\"{}\",\"pid\":{},{}\"args\":{{{}}}}}", what, pid,
                     thread, args);
}

}  // namespace

InstructionTexts::InstructionTexts(const Programs& programs) {
  std::vector<std::string> names;
  names.reserve(programs.names.size());
  for (const std::string& name : programs.names) names.push_back(escape_json(name));
  for (const Program& program : programs.programs) add_program(programs, program, names);
}

void InstructionTexts::add_program(const Programs& programs, const Program& program,
                                   const std::vector<std::string>& names) {
  ProgramText& rendered = programs_.emplace_back();
  rendered.first.resize(program.actions.size());
  // Of a service, whose steps are many and have no number of their own.
  std::map<std::pair<int, Phase>, int> known;
  for (const Loop& loop : program.loops) {
    for (int at = loop.begin; at < loop.end; ++at) {
      const Action& action = program.actions[at];
      const PassProgram& pass = programs.pass_of(action);
      rendered.first[at] = static_cast<int>(rendered.instructions.size());
      if (!programs.served.empty()) {
        const auto [same, is_new] =
            known.try_emplace({action.pass, action.phase}, rendered.first[at]);
        rendered.first[at] = same->second;
        if (!is_new) continue;
      }
      for (Cursor cursor = pass.first(); !pass.is_over(cursor); pass.advance(cursor)) {
        const Instruction& instruction = pass.instructions[cursor.at];
        const std::string_view name =
            instruction.name < 0 ? std::string_view() : names[instruction.name];
        const InstructionPlace place{program, at, action.layer(pass.layer_at(cursor)),
                                     loop.repeat > 1};
        rendered.instructions.push_back(
            render_instruction(programs, place, instruction, name, rendered.heads));
      }
    }
  }
}

std::uint32_t thread_base(const Programs& programs) {
  std::uint32_t base = 10;
  while (base <= static_cast<std::uint32_t>(programs.all_ranks())) base *= 10;
  return base;
}

std::string render_thread(std::uint32_t pid, std::uint32_t tid) {
  return fmt::format("}},\"pid\":{},\"tid\":{},\"ts\":", pid, tid);
}

std::string render_group(const RankCopies& copies, int index, const ProcessGroup& group) {
  const std::string ranks =
      group.ranks.size() > kMostRanksListed
          ? ""
          : fmt::format(",\"Process Group Ranks\":\"{}\"", render_ranks(copies, group.ranks));
  return fmt::format(",\"Group size\":{},\"Process Group Name\":\"{}\"{}", group.ranks.size(),
                     index, ranks);
}

std::string render_container(const RankCopies& copies, const ProcessGroups& groups,
                             const std::string& title, Rank rank, int world) {
  std::vector<std::string> listed;
  for (const ProcessGroup& group : groups.groups) {
    listed.push_back(fmt::format(
        "{{\"pg_name\": \"{}\", \"pg_desc\": \"{}\", \"pg_size\": {}, \"ranks\": {}}}",
        listed.size(), to_text(group.axis), group.ranks.size(), render_ranks(copies, group.ranks)));
  }
  return fmt::format(
      "{{\n\"schemaVersion\": 1,\n\"displayTimeUnit\": \"ms\",\n\"baseTimeNanoseconds\": 0,\n"
      "\"traceName\": \"{}\",\n\"distributedInfo\": {{\"backend\": \"simulated\", \"rank\": {}, "
      "\"world_size\": {}, \"pg_count\": {}, \"pg_config\": [{}]}},\n\"traceEvents\": [\n",
      escape_json(title), rank, world, listed.size(), fmt::join(listed, ",\n"));
}

std::string render_name(const char* what, std::uint32_t pid, std::uint32_t tid,
                        const std::string& name) {
  return render_metadata(what, pid, tid, fmt::format("\"name\":\"{}\"", escape_json(name)));
}

std::string render_sort_index(const char* what, std::uint32_t pid, std::uint32_t tid, int index) {
  return render_metadata(what, pid, tid, fmt::format("\"sort_index\":{}", index));
}

std::string describe_rank(const Programs& programs, const RankCopies& copies, Rank copy) {
  const RankEntry entry = copies.entry(copy);
  std::string text =
      fmt::format("rank {}: stage {}, replica {}", copies.number_of(copy),
                  programs.programs[entry.program].stage, copies.dense_replica_of(copy));
  std::vector<std::string> inside;
  const auto add = [&](const char* name, int Coordinates::*axis) {
    if (copies.divides(axis)) inside.push_back(fmt::format("{} {}", name, entry.at.*axis));
  };
  add("tp", &Coordinates::tensor);
  add("cp", &Coordinates::context);
  add("ep", &Coordinates::expert);
  add("dp", &Coordinates::data);
  if (!inside.empty()) text += fmt::format(" ({})", fmt::join(inside, ", "));
  return text;
}

}  // namespace rehearse
