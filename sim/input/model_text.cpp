#include "input/model_text.hpp"

#include <fmt/format.h>
#include <google/protobuf/text_format.h>

#include <vector>

namespace rehearse {

std::string model_text(const proto::Model& model) {
  using google::protobuf::FieldDescriptor;
  const auto& reflection = *model.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(model, &fields);
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  for (const FieldDescriptor* const field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(model, field) : 1;
    for (int index = 0; index < count; ++index) {
      std::string value;
      printer.PrintFieldValueToString(model, field, field->is_repeated() ? index : -1, &value);
      if (!value.empty() && value.back() == ' ') value.pop_back();
      text += field->message_type() != nullptr ? fmt::format("{} {{ {} }}\n", field->name(), value)
                                               : fmt::format("{}: {}\n", field->name(), value);
    }
  }
  return text;
}

}  // namespace rehearse
