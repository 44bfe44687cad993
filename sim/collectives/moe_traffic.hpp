// What an exchange of tokens with their experts carries, where a token with several experts in one
// place goes there once.
#pragma once

#include "collectives/operation.hpp"

namespace rehearse {

// Of the copies that go to a place which holds this share of the experts, one for each expert, the
// part that is left when a token goes there once.
double once_per_place(const FanOut& fan_out, double share);

}  // namespace rehearse
