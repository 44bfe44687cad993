#include "program/replica_work.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace rehearse {

const PassWork& BatchWork::last() const {
  const std::vector<PassWork>& passes = decodes.empty() ? prefills : decodes.back().parts;
  const auto found =
      std::find_if(passes.rbegin(), passes.rend(), [](const PassWork& pass) { return pass.runs; });
  SIM_CHECK(found != passes.rend(), "every replica of an engine takes part in its batches");
  return *found;
}

}  // namespace rehearse
