// The layouts that a search considers: ranges of every degree, on every platform, and which of them
// are legal.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "plan/layout_fields.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "search/integer_set.hpp"

namespace rehearse {

// One field of the space as written, in the plan's `search` message or as an option.
struct SpaceField {
  std::vector<std::string> values;
  SourceLocation where;
};
// By the field's name in plan.proto's Search ("gpus", "tensor", "platform" ...).
using SpaceText = std::map<std::string, SpaceField>;

// A platform as far as it can be known without loading it.
struct SearchPlatform {
  std::string path;
  std::string id;  // the first 12 digits of the SHA-256 of its bytes
  int gpus = 0;
  // Of one GPU with its share of the network; absent: the file does not say.
  std::optional<double> usd_per_hour;
  std::optional<double> watts;
  std::vector<Device> devices = {};  // of its GPUs, as the file lists them
  // Which of its figures are guesses, in sentences.
  std::vector<std::string> assumed = {};
};

struct Space {
  std::vector<SearchPlatform> platforms;
  IntegerSet gpus;  // after --max-gpus, and no more than the largest platform has
  // By layout field. Empty, of a degree: any. 0, of micro-batches: as many sequences in each as in
  // the plan.
  std::array<IntegerSet, kLayoutFieldCount> choices;
  std::vector<std::string> order;
  std::vector<std::map<std::string, std::string>> collectives;
  std::vector<std::map<std::string, std::string>> quantizations = {{}};
  std::map<std::map<std::string, std::string>, Model> quantized = {};  // by these; but for none
  std::vector<std::string> notes = {};  // what a reader of the result must know, in sentences
};

struct Candidate : JobParts {
  int platform = 0;  // index in Space::platforms
  Layout layout;
  std::map<std::string, std::string> collectives;
  // Fields of the model that say how its numbers are stored, as "weight_dtype" to "fp8". Empty: as
  // the plan has them.
  std::map<std::string, std::string> quantization = {};

  int gpus() const { return replicas * layout.gpus(); }
};

// The fields that a quantization may name.
inline constexpr const char* kQuantized[] = {"weight_dtype", "activation_dtype", "kv_dtype"};
// "weight_dtype=fp8,kv_dtype=fp8"
std::string quantization_text(const std::map<std::string, std::string>& quantization);

// The candidate's model: `base`, or that of its quantization. REQUIRES: Space::quantized has it.
const Model& model_of(const Space& space, const Model& base, const Candidate& candidate);

inline int value_of(const LayoutField& field, const Candidate& candidate) {
  return value_of(field, candidate.layout, candidate);
}

// What the plan is laid out as, on the space's first platform.
Candidate own_candidate(const Plan& plan);

// The plan with the candidate's layout on its platform.
Plan plan_of(const Plan& base, const Space& space, const Candidate& candidate);

// "3fa9c1d2e4b5 tp=2 pp=2 dp=3 ep=2 etp=0 sp=0 mb=22 dmb=0 tp-cp-ep-dp-pp all_reduce=ring": names
// a candidate in jobs and journals, whatever the space. The first word is the platform's id, the
// others are layout fields by their shorthand (a late one only where it is not the default), the
// order, what is chosen of collectives and a quantization;
// unequal stages, which only the plan's own layout can have, are a last word "layers=6,10".
std::string key_of(const Space& space, const Candidate& candidate);
// The inverse; nothing when `key` is no key or its platform is not in the space.
std::optional<Candidate> candidate_of(const Space& space, const std::string& key);

// The fields of the plan's `search` message.
SpaceText space_text_of(const Plan& plan);
// Throws InputError: what of them is wrong whatever the platforms and the model are.
void check_search_of(const Plan& plan);

// Throws InputError: a value that is none, ranges that contradict each other, a choice that is
// given twice, what is of another job than the plan's. The models of quantizations are not read.
Space read_space(const SpaceText& text, const Plan& plan, std::vector<SearchPlatform> platforms);

// Why candidates are not legal, in check_layout's words, and how many each rule excludes.
using Exclusions = std::map<std::string, long>;

struct Enumeration {
  std::vector<Candidate> legal;  // in a fixed order
  long considered = 0;
  Exclusions excluded;
  // Of them, those that keep the most rules in the order in which these are checked: while none is
  // legal, what no layout escapes.
  Exclusions last;
};

// Every combination of degrees whose product is a number of GPUs in the space, once. Throws
// InputError when they are too many to keep.
Enumeration enumerate(const Space& space, const Plan& base, const Model& model);

}  // namespace rehearse
