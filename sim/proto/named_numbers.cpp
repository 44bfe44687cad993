#include "proto/named_numbers.hpp"

#include <google/protobuf/descriptor.h>

#include <string>

#include "base/error.hpp"

namespace rehearse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* field_of(const Message& message, std::string_view name) {
  return message.GetDescriptor()->FindFieldByName(std::string(name));
}

bool is_switch(const FieldDescriptor& field) {
  const bool number = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  SIM_CHECK(number || field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL,
            field.full_name() + " is neither int32 nor bool");
  return !number;
}

}  // namespace

bool set_number(Message& message, std::string_view name, int value) {
  const FieldDescriptor* const field = field_of(message, name);
  if (field == nullptr) return false;
  if (is_switch(*field)) {
    message.GetReflection()->SetBool(&message, field, value != 0);
  } else {
    message.GetReflection()->SetInt32(&message, field, value);
  }
  return true;
}

std::optional<int> written_number(const Message& message, std::string_view name) {
  const FieldDescriptor* const field = field_of(message, name);
  SIM_CHECK(field != nullptr, message.GetDescriptor()->full_name() + " lacks " + std::string(name));
  const auto& reflection = *message.GetReflection();
  if (!reflection.HasField(message, field)) return std::nullopt;
  if (is_switch(*field)) return reflection.GetBool(message, field) ? 1 : 0;
  return reflection.GetInt32(message, field);
}

}  // namespace rehearse
