#include "input/textproto.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <regex>
#include <string_view>

#include "base/nearest_name.hpp"

namespace rehearse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

struct ParseFault {
  int line = 0;    // 0-based, as protobuf counts
  int column = 0;  // 0-based, a tab goes to the next multiple of 8
  std::string message;
};

// Keeps the first fault; the later ones follow from it.
class FirstFault : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!fault_) fault_ = ParseFault{line, column, message};
  }
  // The parser warns of what it would drop.
  void AddWarning(int line, int column, const std::string& message) override {
    AddError(line, column, message);
  }
  const std::optional<ParseFault>& fault() const { return fault_; }

 private:
  std::optional<ParseFault> fault_;
};

std::size_t offset_of(const std::string& text, int line, int column) {
  constexpr int kTab = 8;
  std::size_t at = 0;
  for (int i = 0; i < line; ++i) at = text.find('\n', at) + 1;
  for (int shown = 0; shown < column && at < text.size() && text[at] != '\n'; ++at) {
    shown += text[at] == '\t' ? kTab - shown % kTab : 1;
  }
  return at;
}

// The enum of the field called `name`, wherever in `type` it is.
const EnumDescriptor* enum_of_field(const Descriptor& type, const std::string& name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.name() == name && field.enum_type() != nullptr) return field.enum_type();
    if (field.message_type() == nullptr) continue;
    if (const EnumDescriptor* found = enum_of_field(*field.message_type(), name)) return found;
  }
  return nullptr;
}

// protobuf's sentence in the form of ours: `Expected integer, got: abc` is `expected integer, got
// "abc"`.
std::string in_our_form(std::string message) {
  if (message.ends_with('.')) message.pop_back();
  static const std::regex kGot("got: ([^]*)$");
  if (std::smatch got; std::regex_search(message, got, kGot)) {
    const std::string token = got[1];
    const std::string shown = token.empty()          ? "the end of the file"
                              : token.front() == '"' ? token
                                                     : fmt::format("\"{}\"", token);
    message = fmt::format("{}got {}", got.prefix().str(), shown);
  }
  constexpr std::string_view kNothing = "found \"\"";
  if (message.ends_with(kNothing)) {
    message.replace(message.size() - kNothing.size(), kNothing.size(), "found the end of the file");
  }
  message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return message;
}

// protobuf reports a wrong name only after it has read past it: the fault is at the last place
// before `offset` where the name stands.
std::size_t back_to(const std::string& name, const std::string& text, std::size_t offset) {
  const std::size_t found = offset == 0 ? std::string::npos : text.rfind(name, offset - 1);
  return found == std::string::npos ? offset : found;
}

[[noreturn]] void throw_fault(const ParseFault& fault, const SourceText& source,
                              const Descriptor& root) {
  static const std::regex kUnknownField("Message type \"(.*)\" has no field named \"(.*)\"\\.");
  static const std::regex kUnknownValue(
      "Unknown enumeration value of \"(.*)\" for field \"(.*)\"\\.");
  static const std::regex kTwice("Non-repeated field \"(.*)\" is specified multiple times\\.");
  const std::size_t offset = offset_of(source.text, fault.line, fault.column);
  const auto fail = [&](const std::string& name, const std::string& message) {
    throw InputError(source.at(back_to(name, source.text, offset)), message);
  };
  std::smatch part;
  if (std::regex_match(fault.message, part, kUnknownField)) {
    if (const Descriptor* type = root.file()->pool()->FindMessageTypeByName(part[1])) {
      fail(part[2], unknown_field(part[2], *type));
    }
  }
  if (std::regex_match(fault.message, part, kUnknownValue)) {
    if (const EnumDescriptor* type = enum_of_field(root, part[2])) {
      fail(part[1], unknown_value(part[2], part[1], *type));
    }
  }
  if (std::regex_match(fault.message, part, kTwice)) {
    fail(part[1], fmt::format("{} is given twice", part[1].str()));
  }
  throw InputError(source.at(offset), in_our_form(fault.message));
}

void place_fields(const Message& message, const TextFormat::ParseInfoTree& tree,
                  const std::string& prefix, const SourceText& source, FieldLocations& where) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool repeated = field->is_repeated();
    const int count = repeated ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const int index = repeated ? i : -1;
      auto start = tree.GetLocation(field, index);
      // A list written [8, 8] has one place, that of its name.
      if (start.line < 0) start = tree.GetLocation(field, 0);
      const SourceLocation place = source.at(offset_of(source.text, start.line, start.column));
      const std::string path = prefix + field->name();
      const std::string element = repeated ? fmt::format("{}[{}]", path, i) : path;
      if (i == 0) where.place(path, place);
      where.place(element, place);
      if (field->message_type() == nullptr) continue;
      const Message& nested = repeated ? reflection.GetRepeatedMessage(message, field, i)
                                       : reflection.GetMessage(message, field);
      place_fields(nested, *tree.GetTreeForNested(field, index), element + ".", source, where);
    }
  }
}

}  // namespace

void parse_textproto(const SourceText& source, Message& message, FieldLocations& where) {
  TextFormat::Parser parser;
  TextFormat::ParseInfoTree tree;
  FirstFault faults;
  parser.RecordErrorsTo(&faults);
  parser.WriteLocationsTo(&tree);
  const bool parsed = parser.ParseFromString(source.text, &message);
  if (faults.fault()) throw_fault(*faults.fault(), source, *message.GetDescriptor());
  SIM_CHECK(parsed, "protobuf refuses " + source.path + " without a reason");
  place_fields(message, tree, "", source, where);
}

void require_field(const Message& message, const std::string& path, const std::string& field,
                   const FieldLocations& where) {
  const FieldDescriptor* descriptor = message.GetDescriptor()->FindFieldByName(field);
  SIM_CHECK(descriptor != nullptr, "the schema has no field " + field);
  if (message.GetReflection()->HasField(message, descriptor)) return;
  const std::string full = path.empty() ? field : path + "." + field;
  throw InputError(where.at(full), fmt::format("{} is missing: it has no default", full));
}

std::vector<std::string> field_names(const Descriptor& type) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

std::vector<std::string> value_names(const EnumDescriptor& type) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(type.value_count()));
  for (int i = 0; i < type.value_count(); ++i) names.push_back(type.value(i)->name());
  return names;
}

std::string unknown_field(const std::string& name, const Descriptor& type) {
  return fmt::format("unknown field \"{}\" of {}: {}", name, type.name(),
                     suggestion(name, field_names(type)));
}

std::string unknown_value(const std::string& field, const std::string& value,
                          const EnumDescriptor& type) {
  return fmt::format("{} = {}: unknown value, one of {}", field, value,
                     fmt::join(value_names(type), " "));
}

}  // namespace rehearse
