// A model's message as a file of workloads/models: a line for each field, a message on one line.
#pragma once

#include <string>

#include "proto/model.pb.h"

namespace rehearse {

std::string model_text(const proto::Model& model);

}  // namespace rehearse
