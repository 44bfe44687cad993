// The bounds of every number of an input, one table per schema.
#pragma once

#include <google/protobuf/message.h>

#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace rehearse {

// Of the number at `path` ("batch.sequences"), all values of a repeated one.
struct Bound {
  std::string_view path;
  double least = 0;
  double most = 0;
};

std::span<const Bound> plan_bounds();
std::span<const Bound> model_bounds();

// Throws InputError at the first number that is there and out of its bounds. What is not in the
// table: an integer from 0 to 2^24, a fraction from -1e12 to 1e12.
void check_bounds(const google::protobuf::Message& message, std::span<const Bound> bounds,
                  const FieldLocations& where);
// The same of one integer, `field`, before it is in its message: whole numbers of any size.
void check_bound(double value, const std::string& field, std::span<const Bound> bounds,
                 const FieldLocations& where);

}  // namespace rehearse
