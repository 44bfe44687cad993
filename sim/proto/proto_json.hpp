// Messages as JSON with the field names as written, every field present.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace rehearse {

std::string to_json(const google::protobuf::Message& message);

// The JSON of a message of this type in which every list has one element: which names there are.
std::string skeleton_json(const google::protobuf::Descriptor& type);

}  // namespace rehearse
