// The numbers of a plan that say how it is laid out, and those of its job that a search varies
// beside them, in one table: where each lies, and what plan files, --set, options, spaces of a
// search, keys, tables, JSON, pages and facts call it.
//
// All of these read the table, so that a new number is a line here and its place in the schemas
// (CONTRIBUTING.md, "Add a layout field").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/limits.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Of a job what a search varies as it varies a layout.
struct JobParts {
  int micro_batches = Batch().micro_batches;
  int decode_micro_batches = Batch().decode_micro_batches;
  int replicas = 1;
  // Of each replica's engine. 0: its own default.
  int max_sequences = 0;
  int max_tokens_per_pass = 0;
};
inline JobParts parts_of(const Plan& plan) {
  JobParts parts;
  parts.micro_batches = plan.batch.micro_batches;
  parts.decode_micro_batches = plan.batch.decode_micro_batches;
  if (!plan.serve) return parts;
  parts.replicas = plan.serve->replicas;
  parts.max_sequences = plan.serve->engine.max_sequences.value_or(0);
  parts.max_tokens_per_pass = plan.serve->engine.max_tokens_per_pass.value_or(0);
  return parts;
}

enum class SearchedAs : std::uint8_t {
  kNever,      // the plan's
  kDegree,     // a factor of the number of GPUs: any where a search names none
  kChoice,     // the plan's where a search names none
  kAutomatic,  // 0, "auto", where a search names none
};

enum class OfJob : std::uint8_t { kAny, kBatch, kServe };
constexpr bool holds_for(OfJob job, bool serves) {
  return job == OfJob::kAny || (job == OfJob::kServe) == serves;
}

using LayoutMember = std::variant<int Layout::*, bool Layout::*, int JobParts::*>;

struct LayoutField {
  std::string_view path;  // in plan.proto, and for --set
  LayoutMember member;
  int least = 0;  // of a number; "auto" is 0
  int most = 1;
  SearchedAs searched = SearchedAs::kNever;
  // Of what a search varies:
  OfJob job = OfJob::kAny;          // of plans with this one
  std::string_view shorthand = {};  // in keys and tables
  std::string_view heading = {};    // of a page's column
  std::string_view option = {};     // what --help says of its option
  // Characters in the table of a search. 0: it has no column, and stands behind a row where several
  // are searched.
  int width = 0;
  // Left out of the keys of candidates, and of what `show` says, where it is the default: so every
  // field that came after journals had been written.
  bool late = false;
  // The choice that `value` counts as with the degrees of `at`, `first` being the first choice:
  // what says the same is searched once. Null: itself.
  int (*meant)(const Layout& at, int value, int first) = nullptr;

  // "tensor", in Search, search.json and facts.
  constexpr std::string_view name() const { return path.substr(path.rfind('.') + 1); }
  constexpr bool is_switch() const { return std::holds_alternative<bool Layout::*>(member); }
  constexpr bool searched_where(bool serves) const {
    return searched != SearchedAs::kNever && holds_for(job, serves);
  }
};

// In the order of keys and columns.
inline constexpr LayoutField kLayoutFields[] = {
    {.path = "layout.tensor",
     .member = &Layout::tensor,
     .least = 1,
     .most = kLargestDegree,
     .searched = SearchedAs::kDegree,
     .shorthand = "tp",
     .heading = "tensor",
     .option = "tensor degrees: 1,2,4 (default: all)",
     .width = 3},
    {.path = "layout.pipeline",
     .member = &Layout::pipeline,
     .least = 1,
     .most = kLargestDegree,
     .searched = SearchedAs::kDegree,
     .shorthand = "pp",
     .heading = "pipeline",
     .option = "pipeline degrees",
     .width = 3},
    {.path = "layout.data",
     .member = &Layout::data,
     .least = 1,
     .most = kLargestDegree,
     .searched = SearchedAs::kDegree,
     .shorthand = "dp",
     .heading = "data",
     .option = "data degrees",
     .width = 3},
    {.path = "layout.expert",
     .member = &Layout::expert,
     .least = 1,
     .most = kLargestDegree,
     .searched = SearchedAs::kDegree,
     .shorthand = "ep",
     .heading = "expert",
     .option = "expert degrees",
     .width = 3},
    {.path = "layout.context", .member = &Layout::context, .least = 1, .most = kLargestDegree},
    {.path = "layout.expert_tensor",
     .member = &Layout::expert_tensor,
     .least = 0,
     .most = kLargestDegree,
     .searched = SearchedAs::kChoice,
     .shorthand = "etp",
     .heading = "expert tensor",
     .option = "tensor degrees inside an expert: 0,1",
     .width = 3,
     // 1 with one tensor rank says the same as 0.
     .meant = [](const Layout& at, int value,
                 int) { return at.tensor == 1 && value == 1 ? 0 : value; }},
    {.path = "layout.sequence_parallel",
     .member = &Layout::sequence_parallel,
     .searched = SearchedAs::kChoice,
     .shorthand = "sp",
     .heading = "sequence parallel",
     .option = "true, false or both",
     .width = 3,
     // One tensor rank has nothing to split.
     .meant = [](const Layout& at, int value,
                 int first) { return at.tensor == 1 ? first : value; }},
    {.path = "layout.virtual_stages",
     .member = &Layout::virtual_stages,
     .least = 1,
     .most = kMostLayers,
     .searched = SearchedAs::kChoice,
     .job = OfJob::kBatch,
     .shorthand = "vs",
     .heading = "virtual stages",
     .option = "chunks of layers on a pipeline rank: 1,2,4",
     .late = true,
     // One rank has nothing to interleave.
     .meant = [](const Layout& at, int value, int) { return at.pipeline == 1 ? 1 : value; }},
    {.path = "batch.micro_batches",
     .member = &JobParts::micro_batches,
     .least = 1,
     .most = kMostSequences,
     .searched = SearchedAs::kAutomatic,
     .job = OfJob::kBatch,
     .shorthand = "mb",
     .heading = "micro-batches",
     .option = "prefill micro-batches: auto,8,16",
     .width = 4},
    {.path = "batch.decode_micro_batches",
     .member = &JobParts::decode_micro_batches,
     .least = 0,
     .most = kMostSequences,
     .searched = SearchedAs::kAutomatic,
     .job = OfJob::kBatch,
     .shorthand = "dmb",
     .heading = "decode micro-batches",
     .option = "decode micro-batches"},
    {.path = "serve.replicas",
     .member = &JobParts::replicas,
     .least = 1,
     .most = kMostGpus,
     .searched = SearchedAs::kDegree,
     .job = OfJob::kServe,
     .shorthand = "rep",
     .heading = "replicas",
     .option = "replicas of the layout that serve (default: all that make a number of GPUs)",
     .width = 4,
     .late = true},
    {.path = "serve.engine.max_sequences",
     .member = &JobParts::max_sequences,
     .least = 1,
     .most = kMostSequences,
     .searched = SearchedAs::kChoice,
     .job = OfJob::kServe,
     .shorthand = "seqs",
     .heading = "sequences at once",
     .option = "sequences that a replica serves at once: 64,128,256",
     .late = true},
    {.path = "serve.engine.max_tokens_per_pass",
     .member = &JobParts::max_tokens_per_pass,
     .least = 1,
     .most = kMostTokens,
     .searched = SearchedAs::kChoice,
     .job = OfJob::kServe,
     .shorthand = "tokens",
     .heading = "tokens of a pass",
     .option = "tokens of a pass, at most: 2048,8192",
     .late = true},
};

inline constexpr std::size_t kLayoutFieldCount = std::size(kLayoutFields);

constexpr std::size_t index_of(const LayoutField& field) {
  return static_cast<std::size_t>(&field - kLayoutFields);
}

// By its name; null: there is none.
constexpr const LayoutField* layout_field(std::string_view name) {
  for (const LayoutField& each : kLayoutFields) {
    if (each.name() == name) return &each;
  }
  return nullptr;
}

// A switch is 0 or 1.
inline int value_of(const LayoutField& field, const Layout& layout, const JobParts& parts) {
  if (const auto* const number = std::get_if<int Layout::*>(&field.member)) return layout.**number;
  if (const auto* const of_switch = std::get_if<bool Layout::*>(&field.member)) {
    return layout.**of_switch ? 1 : 0;
  }
  return parts.*std::get<int JobParts::*>(field.member);
}

inline void set_value(const LayoutField& field, int value, Layout& layout, JobParts& parts) {
  if (const auto* const number = std::get_if<int Layout::*>(&field.member)) {
    layout.** number = value;
  } else if (const auto* const of_switch = std::get_if<bool Layout::*>(&field.member)) {
    layout.** of_switch = value != 0;
  } else {
    parts.*std::get<int JobParts::*>(field.member) = value;
  }
}

// What it is where neither a plan nor a search says anything.
inline int default_of(const LayoutField& field) {
  return field.searched == SearchedAs::kAutomatic ? 0 : value_of(field, {}, {});
}

}  // namespace rehearse
