#include "input/written_layout.hpp"

#include <fmt/format.h>

#include <optional>

#include "input/field_checks.hpp"
#include "input/textproto.hpp"
#include "proto/named_numbers.hpp"

namespace rehearse {
namespace {

// `data`, from it or from dense_data = data x expert.
int data_degree(const proto::Layout& written, int expert, const std::string& path,
                FieldLocations& where) {
  const int data = written.has_data() ? written.data() : Layout().data;
  if (!written.has_dense_data()) return data;
  const int dense = written.dense_data();
  const std::string field = path + ".dense_data";
  if (dense % expert != 0) {
    refuse_field(where, field,
                 fmt::format(" = {} is not a multiple of {}.expert = {}: dense_data = data x "
                             "expert",
                             dense, path, expert));
  }
  if (written.has_data() && dense / expert != data) {
    refuse_field(where, field,
                 fmt::format(" = {} disagrees with {}.data = {} x {}.expert = {}: dense_data = "
                             "data x expert",
                             dense, path, data, path, expert));
  }
  if (!written.has_data()) where.place(path + ".data", where.at(field));
  return dense / expert;
}

// The product may not fit an int.
double gpus_of(const Layout& layout) {
  double gpus = 1;
  for (const int each :
       {layout.tensor, layout.pipeline, layout.data, layout.expert, layout.context}) {
    gpus *= each;
  }
  return gpus;
}

}  // namespace

void take_layout_fields(const google::protobuf::Message& written, std::string_view part,
                        Layout& layout, JobParts& parts) {
  for (const LayoutField& each : kLayoutFields) {
    if (!each.path.starts_with(part)) continue;
    const std::optional<int> number = written_number(written, each.name());
    if (number) set_value(each, *number, layout, parts);
  }
}

Layout layout_of(const proto::Layout& written, const std::string& path, FieldLocations& where) {
  Layout layout;
  JobParts of_batch;
  take_layout_fields(written, "layout.", layout, of_batch);
  layout.data = data_degree(written, layout.expert, path, where);
  for (int i = 0; i < written.layers_per_stage_size(); ++i) {
    layout.layers_per_stage.push_back(written.layers_per_stage(i));
  }
  if (written.has_order()) layout.order = written.order();
  check_gpus(gpus_of(layout), path, where);
  return layout;
}

void check_gpus(double gpus, const std::string& field, const FieldLocations& where) {
  if (gpus <= kMostGpus) return;
  refuse_field(where, field, fmt::format(" has {:.7g} GPUs: must be at most {}", gpus, kMostGpus));
}

}  // namespace rehearse
