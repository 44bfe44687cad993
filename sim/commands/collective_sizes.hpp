// The sizes of a table of collectives: --bytes, or the options of nccl-tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "collectives/operation.hpp"

namespace rehearse {

// As typed; absent: not given.
struct NcclTestsSizes {
  std::optional<std::string> first;   // -b
  std::optional<std::string> last;    // -e
  std::optional<std::string> step;    // -i
  std::optional<std::string> factor;  // -f
  bool given() const { return first || last || step || factor; }
};

// `bytes`: "64MB", or "8KB..1GB", from the first, doubling, up to the second. Of a barrier, which
// carries nothing, one of 0. Throws InputError at the option.
std::vector<Bytes> collective_sizes(const std::optional<std::string>& bytes,
                                    const NcclTestsSizes& nccl_tests, CollectiveOp op);

}  // namespace rehearse
