#include "input/field_set.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <type_traits>

#include "base/utf8.hpp"
#include "input/textproto.hpp"

namespace rehearse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view kModelPrefix = "model.";

SourceLocation at(const FieldSet& set, std::size_t offset) {
  return {set.begins.file, set.begins.line, set.begins.column + static_cast<int>(offset)};
}

// One value of FIELD=VALUE on its way into the message.
struct Value {
  const FieldSet& set;
  std::size_t begin;  // its place in set.text
  std::string text;
  std::string path;  // of the field

  [[noreturn]] void refuse(std::size_t offset, const std::string& rule) const {
    throw InputError(at(set, begin + offset),
                     fmt::format("{} = \"{}\": {}", path, shortened(text), rule));
  }
};

template <class Number>
Number number_of(const Value& value) {
  Number number{};
  const char* const begin = value.text.data();
  const char* const end = begin + value.text.size();
  const auto [rest, failure] = std::from_chars(begin, end, number);
  if (failure == std::errc::result_out_of_range) value.refuse(0, "the number is out of range");
  if (failure != std::errc{} || rest != end) {
    const char* const kind = !std::is_integral_v<Number> ? "a number"
                             : std::is_signed_v<Number>  ? "an integer"
                                                         : "an integer that is not negative";
    value.refuse(static_cast<std::size_t>(rest - begin), fmt::format("expected {}", kind));
  }
  return number;
}

bool bool_of(const Value& value) {
  if (value.text != "true" && value.text != "false") value.refuse(0, "expected true or false");
  return value.text == "true";
}

const google::protobuf::EnumValueDescriptor* enum_of(const Value& value,
                                                     const FieldDescriptor& field) {
  const auto* found = field.enum_type()->FindValueByName(value.text);
  if (found == nullptr) {
    throw InputError(at(value.set, value.begin),
                     unknown_value(value.path, value.text, *field.enum_type()));
  }
  return found;
}

void store(const Value& value, const FieldDescriptor* field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const bool add = field->is_repeated();
  const auto put = [&](auto setter, auto adder, auto stored) {
    if (add) {
      (reflection.*adder)(&message, field, stored);
    } else {
      (reflection.*setter)(&message, field, stored);
    }
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return put(&Reflection::SetInt32, &Reflection::AddInt32, number_of<std::int32_t>(value));
    case FieldDescriptor::CPPTYPE_INT64:
      return put(&Reflection::SetInt64, &Reflection::AddInt64, number_of<std::int64_t>(value));
    case FieldDescriptor::CPPTYPE_UINT32:
      return put(&Reflection::SetUInt32, &Reflection::AddUInt32, number_of<std::uint32_t>(value));
    case FieldDescriptor::CPPTYPE_UINT64:
      return put(&Reflection::SetUInt64, &Reflection::AddUInt64, number_of<std::uint64_t>(value));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return put(&Reflection::SetDouble, &Reflection::AddDouble, number_of<double>(value));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return put(&Reflection::SetFloat, &Reflection::AddFloat, number_of<float>(value));
    case FieldDescriptor::CPPTYPE_BOOL:
      return put(&Reflection::SetBool, &Reflection::AddBool, bool_of(value));
    case FieldDescriptor::CPPTYPE_ENUM:
      return put(&Reflection::SetEnum, &Reflection::AddEnum, enum_of(value, *field));
    case FieldDescriptor::CPPTYPE_STRING:
      return put(&Reflection::SetString, &Reflection::AddString, value.text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  throw InternalError(fmt::format("set_field stores a value in the message {}", value.path));
}

struct Target {
  Message* message;
  const FieldDescriptor* field;
  std::string path;
};

// Walks "layout.tensor" down from `message`, creating the messages on the way that are not there.
Target find_target(const FieldSet& set, std::size_t path_end, Message& root) {
  Message* message = &root;
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(set.text.find('.', begin), path_end);
    const std::string name = set.text.substr(begin, end - begin);
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) {
      throw InputError(at(set, begin), unknown_field(name, *message->GetDescriptor()));
    }
    const std::string path = set.text.substr(0, end);
    const bool is_message = field->message_type() != nullptr;
    const bool first = is_message && is_kind_of_layers(*field);
    if (is_message && field->is_repeated() && !first) {
      throw InputError(at(set, begin), fmt::format("{} cannot be set: it is a list of {}", path,
                                                   field->message_type()->name()));
    }
    if (end == path_end && is_message) {
      throw InputError(at(set, begin),
                       fmt::format("{} cannot be set as a whole: set one of its fields, {}.{} ...",
                                   path, path, field->message_type()->field(0)->name()));
    }
    if (end == path_end) return {message, field, path};
    if (!is_message) {
      throw InputError(at(set, end), fmt::format("{} is a single value: it has no fields", path));
    }
    const google::protobuf::Reflection& reflection = *message->GetReflection();
    if (!first) {
      message = reflection.MutableMessage(message, field);
    } else if (reflection.FieldSize(*message, field) == 0) {
      message = reflection.AddMessage(message, field);
    } else {  // of several kinds, the first
      message = reflection.MutableRepeatedMessage(message, field, 0);
    }
    begin = end + 1;
  }
}

}  // namespace

FieldSet option_set(const std::string& text) {
  const std::string option = "--set ";
  FieldSet set{text, {option + text, 1, static_cast<int>(option.size()) + 1}};
  if (const auto bad = first_unreadable_byte(text)) {
    throw InputError(at(set, *bad), describe_unreadable(text[*bad]));
  }
  return set;
}

std::optional<FieldSet> set_of_model(const FieldSet& set) {
  if (!set.text.starts_with(kModelPrefix)) return std::nullopt;
  return FieldSet{set.text.substr(kModelPrefix.size()), at(set, kModelPrefix.size())};
}

void set_field(const FieldSet& set, Message& message, FieldLocations& where) {
  const std::size_t equals = set.text.find('=');
  if (equals == std::string::npos) {
    throw InputError(at(set, set.text.size()),
                     fmt::format("\"{}\" has no \"=\": expected FIELD=VALUE", set.text));
  }
  const Target target = find_target(set, equals, message);
  const std::string values = set.text.substr(equals + 1);
  where.place(target.path, set.begins);
  if (!target.field->is_repeated()) {
    return store({set, equals + 1, values, target.path}, target.field, *target.message);
  }
  target.message->GetReflection()->ClearField(target.message, target.field);
  if (values.empty()) return;
  std::size_t begin = 0;
  for (int i = 0; begin <= values.size(); ++i) {
    const std::size_t end = std::min(values.find(',', begin), values.size());
    const Value value{set, equals + 1 + begin, values.substr(begin, end - begin), target.path};
    store(value, target.field, *target.message);
    where.place(fmt::format("{}[{}]", target.path, i), at(set, value.begin));
    begin = end + 1;
  }
}

}  // namespace rehearse
