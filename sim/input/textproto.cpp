#include "input/textproto.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "base/nearest_name.hpp"
#include "base/utf8.hpp"

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

// The words of a sentence between quotes that stand for `{}` in the pattern: "Message type
// \"{}\" has no field named \"{}\"."; nothing where the sentence is another one.
std::vector<std::string> words_of(std::string_view sentence, std::string_view pattern) {
  constexpr std::string_view kWord = "{}";
  std::vector<std::string> words;
  std::size_t gap = pattern.find(kWord);
  if (!sentence.starts_with(pattern.substr(0, gap))) return {};
  sentence.remove_prefix(gap);
  while (gap != std::string_view::npos) {
    pattern.remove_prefix(gap + kWord.size());
    gap = pattern.find(kWord);
    const std::string_view behind = pattern.substr(0, gap);
    const std::size_t end =
        gap == std::string_view::npos ? sentence.rfind(behind) : sentence.find(behind);
    if (end == std::string_view::npos) return {};
    words.emplace_back(sentence.substr(0, end));
    sentence.remove_prefix(end + behind.size());
  }
  return words;
}

// protobuf's sentence in the form of ours: `Expected integer, got: abc` is `expected integer, got
// "abc"`.
std::string in_our_form(std::string message) {
  if (message.ends_with('.')) message.pop_back();
  constexpr std::string_view kGot = "got: ";
  if (const std::size_t got = message.find(kGot); got != std::string::npos) {
    const std::string token = message.substr(got + kGot.size());
    const std::string shown = token.empty()          ? "the end of the file"
                              : token.front() == '"' ? shortened(token)
                                                     : fmt::format("\"{}\"", shortened(token));
    message = fmt::format("{}got {}", message.substr(0, got), shown);
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
  const std::size_t offset = source.offset_of_shown(fault.line, fault.column);
  const auto fail = [&](const std::string& name, const std::string& message) {
    throw InputError(source.at(back_to(name, source.text, offset)), message);
  };
  const auto words = [&](std::string_view pattern) { return words_of(fault.message, pattern); };
  if (const auto part = words("Message type \"{}\" has no field named \"{}\"."); !part.empty()) {
    if (const Descriptor* type = root.file()->pool()->FindMessageTypeByName(part[0])) {
      fail(part[1], unknown_field(part[1], *type));
    }
  }
  if (const auto part = words("Unknown enumeration value of \"{}\" for field \"{}\".");
      !part.empty()) {
    if (const EnumDescriptor* type = enum_of_field(root, part[1])) {
      fail(part[0], unknown_value(part[1], part[0], *type));
    }
  }
  if (const auto part = words("Non-repeated field \"{}\" is specified multiple times.");
      !part.empty()) {
    fail(part[0], fmt::format("{} is given twice", part[0]));
  }
  throw InputError(source.at(offset), in_our_form(fault.message));
}

// Texts have escapes ("\377"), so one can be unreadable that the file is not.
void check_text(const Message& message, const FieldDescriptor* field, int index,
                const std::string& path, const SourceLocation& place) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
  const auto& reflection = *message.GetReflection();
  std::string scratch;
  const std::string& text =
      index < 0 ? reflection.GetStringReference(message, field, &scratch)
                : reflection.GetRepeatedStringReference(message, field, index, &scratch);
  if (const auto bad = first_unreadable_byte(text)) {
    throw InputError(place, fmt::format("{}: {}", path, describe_unreadable(text[*bad])));
  }
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
      const SourceLocation place = source.at(source.offset_of_shown(start.line, start.column));
      const std::string path = prefix + field->name();
      const bool only = is_kind_of_layers(*field) && count == 1;
      const std::string element = repeated && !only ? fmt::format("{}[{}]", path, i) : path;
      if (i == 0) where.place(path, place);
      where.place(element, place);
      check_text(message, field, index, element, place);
      if (field->message_type() == nullptr) continue;
      const Message& nested = repeated ? reflection.GetRepeatedMessage(message, field, i)
                                       : reflection.GetMessage(message, field);
      place_fields(nested, *tree.GetTreeForNested(field, index), element + ".", source, where);
    }
  }
}

}  // namespace

bool is_kind_of_layers(const FieldDescriptor& field) {
  return field.is_repeated() && (field.name() == "attention" || field.name() == "dense");
}

void parse_textproto(const SourceText& source, Message& message, FieldLocations& where) {
  constexpr int kDeepest = 64;  // the schemas nest 4 deep
  TextFormat::Parser parser;
  parser.SetRecursionLimit(kDeepest);
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
  return fmt::format("unknown field \"{}\" of {}: {}", shortened(name), type.name(),
                     suggestion(name, field_names(type)));
}

std::string unknown_value(const std::string& field, const std::string& value,
                          const EnumDescriptor& type) {
  return fmt::format("{} = {}: unknown value, one of {}{}", field, shortened(value),
                     fmt::join(value_names(type), " "), hint(value, value_names(type)));
}

}  // namespace rehearse
