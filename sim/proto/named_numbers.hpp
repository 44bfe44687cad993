// Whole numbers and switches of a message by the names of their fields. A switch is 0 or 1.
#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string_view>

namespace rehearse {

// False: the message has no such field.
bool set_number(google::protobuf::Message& message, std::string_view field, int value);

// Nothing: it is not written. REQUIRES: the message has such a field.
std::optional<int> written_number(const google::protobuf::Message& message, std::string_view field);

}  // namespace rehearse
