// The passes of one model's plans, each compiled once: stages whose layers are alike share them,
// and so do plans.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/compile_pass.hpp"
#include "program/program.hpp"

namespace rehearse {

// What a pass of the plan has beside its graph.
PassParts parts_of_pass(const Model& model, const Plan& plan, const PassShape& shape, Phase phase,
                        int micro_batch);

// Of a micro-batch's passes on a rank the first: those of its later chunks are of the same step.
bool host_before(const Plan& plan, int stage);

class PassLibrary {
 public:
  explicit PassLibrary(const Model& model);

  // Numbers of passes. `shape.stage` and `shape.layers` are the chunk's.
  int pass(const Layout& layout, const PassShape& shape, const PassParts& parts);
  // What the last stage sends the first, or what that receives.
  int token_message(int sequences, Message::Kind kind = Message::Kind::kSend);

  // Until the next pass is asked for.
  const PassProgram& of(int pass) const { return passes_[pass]; }

  // By number, when all are there; and the names of their instructions.
  std::vector<PassProgram> take_passes() { return std::move(passes_); }
  std::vector<std::string> take_names() { return std::move(instructions_); }

 private:
  // All that compile_pass reads: the tensor, expert and expert tensor degrees, whether tokens are
  // split over the tensor ranks;
  using LayoutKey = std::tuple<int, int, int, bool>;
  // slices, whether they grow, and in which steps where that matters, tokens of the expert group,
  // whether a host takes time before it, and for how many requests;
  using ShapeKey = std::tuple<std::vector<Slice>, bool, StepRange, double, bool, double>;
  // whether it is the first and the last stage, kinds of its layers;
  using ChunkKey = std::tuple<bool, bool, std::vector<int>>;
  using PartsKey = std::tuple<bool, bool, bool>;
  using Key = std::tuple<LayoutKey, ShapeKey, ChunkKey, PartsKey>;

  StepRange steps_that_matter(const PassShape& shape) const;

  const Model& model_;
  std::vector<int> kinds_;  // of the model's layers
  const bool limited_;      // queries do not see all keys in some layer
  std::vector<PassProgram> passes_;
  std::vector<std::string> instructions_;
  Names names_{instructions_};
  std::map<Key, int> numbers_;
  std::map<std::pair<int, Message::Kind>, int> token_messages_;
};

}  // namespace rehearse
