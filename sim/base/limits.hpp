// The largest integers that inputs may hold. Each is far beyond what exists, and small enough that
// sums of them stay within an int and the lists that they count within memory; products are taken
// in double.
#pragma once

namespace rehearse {

constexpr int kMostLayers = 10'000;       // the deepest published has 1,000 (arXiv:2203.00555)
constexpr int kLargestWidth = 1 << 24;    // hidden, FFN, vocabulary (Gemma 3: 262,144)
constexpr int kMostHeads = 65'535;        // attention heads, and columns of one
constexpr int kMostExperts = 65'535;      // of a layer; the most published is 2,048
                                          // (arXiv:2101.03961)
constexpr int kLargestDegree = 65'535;    // of parallelism
constexpr int kMostGpus = 1 << 20;        // of a cluster; SimGrid takes 5 to 10 kB for each
constexpr int kMostSequences = 1 << 24;   // of a batch
constexpr int kMostTokens = 1 << 24;      // of a request; Llama 4 Scout has a context of 10 million
constexpr int kMostChannels = 128;        // of a collective: RCCL's MAXCHANNELS
constexpr int kMostIterations = 1 << 25;  // passes of a batch: of prefill and decode

}  // namespace rehearse
