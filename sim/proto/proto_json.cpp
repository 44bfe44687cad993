#include "proto/proto_json.hpp"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <memory>

#include "base/error.hpp"

namespace rehearse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void add_one_scalar(const Reflection& reflection, const FieldDescriptor* field, Message& message) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.AddInt32(&message, field, 0);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.AddDouble(&message, field, 0);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.AddString(&message, field, "");
    default:
      break;
  }
  SIM_CHECK(false, "no result or fact has a list of this type: " + field->full_name());
}

// A field that may be absent, so that its name is there.
void set_scalar(const Reflection& reflection, const FieldDescriptor* field, Message& message) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, field, 0);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(&message, field, 0);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, field, false);
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, field, "");
    default:
      break;
  }
  SIM_CHECK(false, "no result or fact may lack a field of this type: " + field->full_name());
}

void fill_all(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const bool nested = field->message_type() != nullptr;
    if (nested) {
      fill_all(field->is_repeated() ? *reflection.AddMessage(&message, field)
                                    : *reflection.MutableMessage(&message, field));
    } else if (field->is_repeated()) {
      add_one_scalar(reflection, field, message);
    } else if (field->has_presence()) {
      set_scalar(reflection, field, message);
    }
  }
}

// Maps by their keys: MessageToJsonString leaves them in the order of their hashes.
std::string to_bytes(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  SIM_CHECK(message.SerializeToCodedStream(&out), "a message as bytes");
  out.Trim();
  return bytes;
}

}  // namespace

std::string to_json(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const std::string prefix = "type.googleapis.com";
  const std::unique_ptr<google::protobuf::util::TypeResolver> types(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          prefix, message.GetDescriptor()->file()->pool()));
  const auto status = google::protobuf::util::BinaryToJsonString(
      types.get(), prefix + "/" + message.GetDescriptor()->full_name(), to_bytes(message), &json,
      options);
  SIM_CHECK(status.ok(), "a message as JSON: " + std::string(status.message()));
  return json;
}

std::string skeleton_json(const google::protobuf::Descriptor& type) {
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<Message> message(factory.GetPrototype(&type)->New());
  fill_all(*message);
  return to_json(*message);
}

}  // namespace rehearse
