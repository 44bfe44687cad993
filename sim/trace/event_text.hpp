// The parts of a span's JSON that do not depend on the span: rendered once per (program,
// instruction), per (rank, stream) and per process group, so that an event costs a few copies and
// two numbers.
//
//   {"ph":"X","name":"L3 qkv","cat":"gemm","args":{"pass":"decode mb 0","layer":3,"flops":12,
//    "bytes":34 | ,"step":17},"pid":3,"tid":101,"ts": | 1.000,"dur":2.000}
//   InstructionTexts::head                  ThreadText
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program/program.hpp"
#include "program/rank_copies.hpp"

namespace rehearse {

struct InstructionText {
  const Instruction* instruction = nullptr;
  std::size_t begin = 0;  // of its head in the text of its program
  std::uint32_t size = 0;
  bool communication = false;
  bool repeated = false;       // its loop repeats: args carry the step
  bool samples = false;        // a compute instruction that ends with each request's next token
  bool growing_flops = false;  // differs from step to step or rank to rank: not part of head
  bool growing_bytes = false;
  bool counts_copies = false;  // the experts of a layer begin: a counter event
};

// Of all programs; the one place that knows how a span's instruction is found: by its number among
// all that the actions of its program execute, each once.
class InstructionTexts {
 public:
  InstructionTexts() = default;
  // REQUIRES: `programs` outlives this.
  explicit InstructionTexts(const Programs& programs);

  int number(int program, int action, int position) const {
    return programs_[program].first[action] + position;
  }
  const InstructionText& of(int program, int number) const {
    return programs_[program].instructions[number];
  }
  // From ",\n{" into args, at least one of which is written.
  std::string_view head(int program, const InstructionText& text) const {
    return std::string_view(programs_[program].heads).substr(text.begin, text.size);
  }

 private:
  struct ProgramText {
    std::string heads;  // one behind the other
    std::vector<InstructionText> instructions;
    std::vector<int> first;  // by action: its first number
  };

  void add_program(const Programs& programs, const Program& program,
                   const std::vector<std::string>& names);

  std::vector<ProgramText> programs_;
};

// All tids are of one decimal order above every pid: Perfetto takes a thread whose tid equals its
// pid for the main thread and shows it first, and tid 0 for the idle thread.
std::uint32_t thread_base(const Programs& programs);
// `},"pid":3,"tid":101,"ts":`
std::string render_thread(std::uint32_t pid, std::uint32_t tid);

// `,"Group size":8,"Process Group Name":"5","Process Group Ranks":"[0, 1]"`; the ranks only of
// groups of up to 64, as the trace's head lists every group under this name.
std::string render_group(const RankCopies& copies, int index, const ProcessGroup& group);

// The opening of the file up to and with `"traceEvents": [`. HTA looks for the rank in the first
// line that matches `"rank":\s+(\d+)`, so the space is needed; `rank` is the first rank of the
// file.
std::string render_container(const RankCopies& copies, const ProcessGroups& groups,
                             const std::string& title, Rank rank, int world);

// A metadata event without the separating comma: `process_name`, `thread_name` (value: text) or
// `process_sort_index`, `thread_sort_index` (value: number). tid 0: an event of the process.
std::string render_name(const char* what, std::uint32_t pid, std::uint32_t tid,
                        const std::string& name);
std::string render_sort_index(const char* what, std::uint32_t pid, std::uint32_t tid, int index);

// "rank 3: stage 0, replica 1 (tp 1, ep 1)": the coordinates of the axes along which the layout is
// divided.
std::string describe_rank(const Programs& programs, const RankCopies& copies, Rank copy);

}  // namespace rehearse
