// The bounds of every integer of an input, one table per schema.
#pragma once

#include <google/protobuf/message.h>

#include <span>
#include <string_view>

#include "base/error.hpp"

namespace rehearse {

// Of the integer field at `path` ("batch.sequences"), all values of a repeated one.
struct Bound {
  std::string_view path;
  double least = 0;
  double most = 0;
};

std::span<const Bound> plan_bounds();
std::span<const Bound> model_bounds();

// Throws InputError at the first integer field that is there and out of its bounds. REQUIRES every
// integer field of the schema to be in the table.
void check_bounds(const google::protobuf::Message& message, std::span<const Bound> bounds,
                  const FieldLocations& where);

}  // namespace rehearse
