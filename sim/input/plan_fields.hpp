// The fields of a written plan, checked one by one, as Plan.
#pragma once

#include "base/error.hpp"
#include "plan/plan.hpp"
#include "proto/plan.pb.h"

namespace rehearse {

// Everything but name and variant. Throws InputError for a missing field, a value out of its range,
// and `data` and `dense_data` that disagree; places "layout.data" where the degree was written.
Plan plan_of(const proto::Plan& written, FieldLocations where);

}  // namespace rehearse
