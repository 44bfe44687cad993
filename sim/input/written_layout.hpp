// A layout as a plan writes it, its own or that of a pool.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "plan/layout_fields.hpp"
#include "proto/plan.pb.h"

namespace rehearse {

// The numbers of the table of layout fields that stand in `written`, the plan's `part`: "layout.",
// "batch.". bounds.cpp has their bounds.
void take_layout_fields(const google::protobuf::Message& written, std::string_view part,
                        Layout& layout, JobParts& parts);

// `path`: of the message, "layout". Throws InputError where `data` and `dense_data` disagree, and
// for more GPUs than there can be; places PATH.data where the degree was written.
Layout layout_of(const proto::Layout& written, const std::string& path, FieldLocations& where);

// "layout has 1e+07 GPUs: must be at most 1048576", at `field`.
void check_gpus(double gpus, const std::string& field, const FieldLocations& where);

}  // namespace rehearse
