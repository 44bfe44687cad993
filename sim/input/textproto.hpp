// A textproto into a message, with the place of every field.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "input/source_text.hpp"

namespace rehearse {

// Fills `message` (empty before) and places every field that the text has in `where`: "layout",
// "layout.tensor", the i-th value of a repeated field "variant[i].name" and the first also without
// an index. Throws InputError at the text's first fault. Ranges are not checked, nothing is
// required.
void parse_textproto(const SourceText& source, google::protobuf::Message& message,
                     FieldLocations& where);

// Throws InputError, located at the enclosing message, unless the field at `path` ("batch" +
// "sequences") is present.
void require_field(const google::protobuf::Message& message, const std::string& path,
                   const std::string& field, const FieldLocations& where);

// Lists of what layers differ in. Of a model whose layers are alike there is one, which is called
// what it is, without an index: "attention.heads".
bool is_kind_of_layers(const google::protobuf::FieldDescriptor& field);

std::vector<std::string> field_names(const google::protobuf::Descriptor& type);
std::vector<std::string> value_names(const google::protobuf::EnumDescriptor& type);

// "unknown field "tensr" of Layout: did you mean "tensor"?"
std::string unknown_field(const std::string& name, const google::protobuf::Descriptor& type);

// "network = fluidd: unknown value, did you mean "fluid"?"
std::string unknown_value(const std::string& field, const std::string& value,
                          const google::protobuf::EnumDescriptor& type);

}  // namespace rehearse
