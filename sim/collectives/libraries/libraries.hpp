// Every library, for the table. Each is described in its own file.
#pragma once

#include "collectives/library.hpp"

namespace rehearse {

extern const CollectiveLibrary kTextbook;
extern const CollectiveLibrary kNccl;
extern const CollectiveLibrary kNcclGraphs;
extern const CollectiveLibrary kRccl;
extern const CollectiveLibrary kHccl;
extern const CollectiveLibrary kTpu;
extern const CollectiveLibrary kVllm;
extern const CollectiveLibrary kSglang;
extern const CollectiveLibrary kTensorrtLlm;
extern const CollectiveLibrary kDeepepNormal;
extern const CollectiveLibrary kDeepepLowLatency;

}  // namespace rehearse
