// The entries of all tests/docs/*.figures of the repository, read once.
#pragma once

#include "docs/entries.hpp"

namespace rehearse {

const Entries& entries();

// Whether figures and outputs are to be written anew (tools/update_goldens).
bool updates();

}  // namespace rehearse
