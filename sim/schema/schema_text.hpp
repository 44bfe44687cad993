// What a file may say, field by field: the schemas that come with the program
// (workloads/schema/*.proto), with their comments, as text.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace rehearse {

// "plan", "model", "device" ...: the files that have a schema.
std::vector<std::string> schema_names();

// Every field of the file, by path, a line each, with its type and the first sentence of its
// comment ("plan"); of a message its fields with their whole comments ("plan.serve"); of a field
// its comment ("plan.layout.tensor"). A path of the plan may stand without "plan." as in --set.
// Empty: the plan. Throws InputError at `where` with the name that is near.
std::string schema_text(const std::string& path, const SourceLocation& where);

// Of every field of `schema` that has a value, its path without the schema's name: "layout.tensor".
std::vector<std::string> schema_fields(const std::string& schema);

}  // namespace rehearse
