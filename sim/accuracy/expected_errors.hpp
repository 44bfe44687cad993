// How far predictions were from published measurements, by family of what is predicted: the table
// that tools/accuracy writes (scored_errors.cpp; tests/accuracy/README.md says of which sources).
//
// Families are a group and what sets its rows apart: gemm.TYPE and moe.TYPE (bf16 stands for fp16,
// too), attention_prefill, attention_decode.1_kv_head and .2_kv_heads_up (of one GPU), mla_prefill,
// mla_decode, elementwise, LIBRARY.one_domain and LIBRARY.several_servers of collectives,
// static.ENGINE for a static batch, serving_tpot.ENGINE, serving_ttft.ENGINE and
// serving_throughput.ENGINE for requests that arrive. A group's name alone is all of it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace rehearse {

struct ExpectedError {
  std::string_view family;
  bool own = true;    // with constants that were measured on the GPU; or with those of others
  double median = 0;  // of |predicted / measured - 1|; each source weighs the same
  double p90 = 0;
  int rows = 0;      // published times behind it
  Seconds shortest;  // of these times: beyond them nobody has compared
  Seconds longest;
};

// A GPU of which a family has rows.
struct ScoredGpu {
  std::string_view family;
  std::string_view gpu;  // of the catalogue, as its vendor
  std::string_view vendor;
  bool own = true;  // priced with constants that were measured on it
};

// Both in the order of the family's name; of a family the GPU's own first.
std::span<const ExpectedError> scored_errors();
std::span<const ScoredGpu> scored_gpus();

// nullptr: nobody has compared.
const ExpectedError* pooled_error(std::string_view family, bool own);
// What is expected on a GPU of the catalogue: its own line where the family's rows have it, with
// its constants; where they have it or another of its vendor, that of constants of other GPUs.
// nullptr: no row is of a GPU of that vendor, and how far off others are says nothing of it.
const ExpectedError* expected_error(std::string_view family, std::string_view gpu,
                                    std::string_view vendor);
// Whether any row of the family is of that GPU.
bool has_rows(std::string_view family, std::string_view gpu);

// Of a collective library ("nccl_graphs" is "nccl" started otherwise).
std::string collective_family(std::string_view library, bool one_domain);

}  // namespace rehearse
