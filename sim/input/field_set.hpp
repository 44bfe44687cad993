// FIELD=VALUE: one field of a message set by its path, as --set does.
#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "base/error.hpp"

namespace rehearse {

struct FieldSet {
  std::string text;       // "layout.tensor=4"
  SourceLocation begins;  // where the text's first character stands
};

// `--set TEXT` as the user typed it.
FieldSet option_set(const std::string& text);

// A set of a field of the plan's model, "model.moe.top_k=1", as one of the model itself,
// "moe.top_k=1".
std::optional<FieldSet> set_of_model(const FieldSet& set);

// Sets the field and places it in `where`. VALUE is what the textproto would have, strings without
// quotes, for a repeated field a comma list (nothing: no values). Throws InputError at the
// offending character.
void set_field(const FieldSet& set, google::protobuf::Message& message, FieldLocations& where);

}  // namespace rehearse
