// The fields of a file as a list, a message or a field by its path. Comments are those of the
// .proto files: that above a field, or behind it.
#include "schema/schema_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/nearest_name.hpp"
#include "base/split.hpp"
#include "schema/schema_files.hpp"

namespace rehearse {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

constexpr const char* kPlan = "plan";
constexpr std::size_t kWidth = 100;  // of a line

// A field's comment as one paragraph.
template <class Described>
std::string comment_of(const Described& of) {
  google::protobuf::SourceLocation at;
  if (!of.GetSourceLocation(&at)) return "";
  std::vector<std::string> words = words_of(at.leading_comments);
  for (std::string& word : words_of(at.trailing_comments)) words.push_back(std::move(word));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string first_sentence(const std::string& comment) {
  for (std::size_t at = 0; at + 1 < comment.size(); ++at) {
    if (comment[at] == '.' && comment[at + 1] == ' ') return comment.substr(0, at);
  }
  return comment.ends_with('.') ? comment.substr(0, comment.size() - 1) : comment;
}

std::vector<std::string> value_names(const EnumDescriptor& choice) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(choice.value_count()));
  for (int at = 0; at < choice.value_count(); ++at) names.push_back(choice.value(at)->name());
  return names;
}

bool is_message(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_map();
}

// Of a message, but for Google's own.
bool has_fields(const FieldDescriptor& field) {
  return is_message(field) && field.message_type()->file()->package() == "rehearse.proto";
}

// What a field means: its own comment, else that of the message that it is.
std::string meaning_of(const FieldDescriptor& field) {
  std::string meaning = comment_of(field);
  return meaning.empty() && has_fields(field) ? comment_of(*field.message_type()) : meaning;
}

std::string type_of(const FieldDescriptor& field) {
  std::string type;
  if (field.is_map()) {
    type = "name: value";
  } else if (is_message(field)) {
    type = "{ }";
  } else if (field.enum_type() != nullptr) {
    type = fmt::format("{}", fmt::join(value_names(*field.enum_type()), "|"));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    type = "text";
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    type = "true|false";
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    type = "number";
  } else {
    type = "whole number";
  }
  return field.is_repeated() && !field.is_map() ? type + ", repeated" : type;
}

std::string wrapped(const std::string& text, std::size_t indent) {
  std::string lines;
  for (const std::string& line : lines_of_words(text, kWidth - indent)) {
    lines.append(indent, ' ').append(line).append("\n");
  }
  return lines;
}

// The path without the schema's name; `within`: the messages on the way, which none enters again.
template <class Visit>
void visit_fields(const Descriptor& message, const std::string& path,
                  std::vector<const Descriptor*>& within, const Visit& visit) {
  if (std::find(within.begin(), within.end(), &message) != within.end()) return;
  within.push_back(&message);
  for (int at = 0; at < message.field_count(); ++at) {
    const FieldDescriptor& field = *message.field(at);
    const std::string name = path.empty() ? field.name() : path + "." + field.name();
    visit(name, field);
    if (has_fields(field)) visit_fields(*field.message_type(), name, within, visit);
  }
  within.pop_back();
}

template <class Visit>
void visit_fields(const Descriptor& message, const Visit& visit) {
  std::vector<const Descriptor*> within;
  visit_fields(message, "", within, visit);
}

std::string list_text(const std::string& schema, const Descriptor& root,
                      const std::vector<std::string>& schemas) {
  std::string text = wrapped(comment_of(root), 0);
  visit_fields(root, [&](const std::string& path, const FieldDescriptor& field) {
    text += fmt::format("{:<36} {}\n", path, type_of(field));
    const std::string what = first_sentence(meaning_of(field));
    text += wrapped(what, 4);
  });
  return text + fmt::format("\nrehearse schema {0}.FIELD says all of a field; schemas: {1}\n",
                            schema, fmt::join(schemas, " "));
}

std::string values_text(const EnumDescriptor& choice) {
  std::string text;
  for (int at = 0; at < choice.value_count(); ++at) {
    const auto& value = *choice.value(at);
    const std::string what = comment_of(value);
    text += fmt::format("    {}{}{}\n", value.name(), what.empty() ? "" : ": ", what);
  }
  return text;
}

std::string field_text(const std::string& path, const FieldDescriptor& field) {
  std::string text = fmt::format("{}  {}\n", path, type_of(field)) + wrapped(comment_of(field), 4);
  if (field.enum_type() != nullptr) text += values_text(*field.enum_type());
  return text;
}

std::string message_text(const std::string& path, const FieldDescriptor& field) {
  const Descriptor& message = *field.message_type();
  std::string text = field_text(path, field) + wrapped(comment_of(message), 4);
  for (int at = 0; at < message.field_count(); ++at) {
    const FieldDescriptor& inner = *message.field(at);
    text += "\n" + field_text(path + "." + inner.name(), inner);
    if (comment_of(inner).empty()) text += wrapped(meaning_of(inner), 4);
  }
  return text;
}

const FieldDescriptor& field_named(const Descriptor& message, const std::string& name,
                                   const SourceLocation& where) {
  if (const FieldDescriptor* const field = message.FindFieldByName(name)) return *field;
  std::vector<std::string> known;
  known.reserve(static_cast<std::size_t>(message.field_count()));
  for (int at = 0; at < message.field_count(); ++at) known.push_back(message.field(at)->name());
  throw InputError(where, fmt::format("unknown field \"{}\" of {}: {}", name, message.name(),
                                      suggestion(name, known)));
}

// Schema first: a path of --set is one of the plan.
std::vector<std::string> names_in(const std::string& path, const SchemaFiles& files,
                                  const SourceLocation& where) {
  if (path.empty()) return {kPlan};
  std::vector<std::string> names = split(path, '.');
  std::vector<std::string> known = files.names();
  const Descriptor& plan = files.root(kPlan);
  if (std::find(known.begin(), known.end(), names.front()) != known.end()) {
    // "search.gpus" is the plan's: a result of a search has no such field.
    const bool its_own = names.size() == 1 || plan.FindFieldByName(names.front()) == nullptr ||
                         files.root(names.front()).FindFieldByName(names[1]) != nullptr;
    if (its_own) return names;
  }
  if (plan.FindFieldByName(names.front()) != nullptr) {
    names.insert(names.begin(), kPlan);
    return names;
  }
  for (int at = 0; at < plan.field_count(); ++at) known.push_back(plan.field(at)->name());
  const std::vector<std::string> near = near_names(names.front(), known);
  throw InputError(
      where, fmt::format("\"{}\" is neither a schema nor a field of a plan: {}", names.front(),
                         near.empty() ? suggestion(names.front(), files.names())
                                      : did_you_mean({near.front()})));
}

}  // namespace

std::vector<std::string> schema_names() { return SchemaFiles().names(); }

std::string schema_text(const std::string& path, const SourceLocation& where) {
  const SchemaFiles files;
  const std::vector<std::string> names = names_in(path, files, where);
  const Descriptor* message = &files.root(names.front());
  if (names.size() == 1) return list_text(names.front(), *message, files.names());
  const FieldDescriptor* field = nullptr;
  for (std::size_t at = 1; at < names.size(); ++at) {
    if (field != nullptr && !has_fields(*field)) {
      throw InputError(where, fmt::format("unknown field \"{}\": {} has none ({})", names[at],
                                          field->name(), type_of(*field)));
    }
    if (field != nullptr) message = field->message_type();
    field = &field_named(*message, names[at], where);
  }
  const std::string whole = fmt::format("{}", fmt::join(names.begin() + 1, names.end(), "."));
  return has_fields(*field) ? message_text(whole, *field) : field_text(whole, *field);
}

std::vector<std::string> schema_fields(const std::string& schema) {
  const SchemaFiles files;
  std::vector<std::string> fields;
  visit_fields(files.root(schema), [&](const std::string& path, const FieldDescriptor& field) {
    if (!is_message(field)) fields.push_back(path);
  });
  return fields;
}

}  // namespace rehearse
