// The comparison as workloads/schema/compare.proto has it.
#include "compare/report.hpp"
#include "proto/compare.pb.h"
#include "proto/proto_json.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

void write(const json& value, google::protobuf::Value& to) {
  if (value.is_number()) {
    to.set_number_value(value.get<double>());
  } else if (value.is_boolean()) {
    to.set_bool_value(value.get<bool>());
  } else {
    to.set_string_value(value.is_string() ? value.get<std::string>() : value.dump());
  }
}

void write(const FieldChange& field, proto::ComparedField& to) {
  to.set_field(field.path);
  if (!field.before.is_null()) write(field.before, *to.mutable_before());
  if (!field.after.is_null()) write(field.after, *to.mutable_after());
  to.set_verdict(to_text(field.kind));
}

}  // namespace

std::string compare_json(const ResultComparison& comparison) {
  proto::Compared compared;
  compared.set_regressed(comparison.regressed());
  for (const FieldChange& each : comparison.fields) write(each, *compared.add_fields());
  for (const FieldChange& each : comparison.operators) write(each, *compared.add_operators());
  return to_json(compared);
}

}  // namespace rehearse
