// The flags of an engine's launch command: one table for each engine.
#pragma once

#include <span>
#include <string_view>

#include "commands/launch.hpp"

namespace rehearse {

enum class FlagValue {
  kNone,    // a switch
  kSwitch,  // a switch that --no-FLAG turns off
  kOne,
  kOptional,  // one word, or none
  kSeveral,   // words up to the next flag
};

// What becomes of it in a plan.
enum class FlagUse {
  kIgnored,
  kRefused,
  kModel,
  kTensor,
  kPipeline,
  kData,
  kExpertParallel,  // a switch: experts are dealt to all ranks of the engine
  kExpertDegree,
  kDpAttention,  // data-parallel ranks are a part of the tensor degree
  kMaxLength,
  kMaxSequences,
  kMaxTokens,
  kMemoryFraction,
  kBlock,
  kBlocks,
  kPoolTokens,  // the same as tokens
  kCacheType,
  kQuantization,
  kType,
  kPrefixCache,
  kNoPrefixCache,
  kChunked,
  kAsync,
  kNoAsync,
  kNoGraphs,
  kPolicy,
  kRouter,
  kAllToAll,
  kNoCustomAllReduce,
  kSpeculativeJson,
  kSpeculativeMethod,
  kSpeculativeSteps,
  kSpeculativeTopK,
  kSpeculativeTokens,
};

struct FlagRow {
  std::string_view names;  // all of them, a blank between: "--tensor-parallel-size -tp"
  FlagValue value;
  FlagUse use;
  // Of a flag that is used: the plan's field. Else why it is ignored or refused.
  std::string_view what;
  // Of a flag that is refused: values, a blank between, with which it changes nothing.
  std::string_view neutral = {};
};

struct LaunchTable {
  const char* engine;   // serve.engine.name
  const char* option;   // "--from-vllm"
  const char* follows;  // the sources that it was read in
  std::span<const FlagRow> rows;
};

const LaunchTable& vllm_flags();
const LaunchTable& sglang_flags();
const LaunchTable& flags_of(LaunchEngine engine);

// Of the name, with dashes for underscores; null: nobody here knows it.
const FlagRow* row_named(const LaunchTable& table, std::string_view name);

}  // namespace rehearse
