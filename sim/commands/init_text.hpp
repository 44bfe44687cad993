// What `rehearse init` writes and says.
#pragma once

#include <string>

#include "catalog/write_platform.hpp"
#include "commands/init.hpp"

namespace rehearse {

struct InitDraft {
  const InitRequest& request;
  const Model& model;
  const DeviceSheet& sheet;
  const PlatformRequest& platform;
  std::string model_name;  // as the plan writes it
  std::string platform_name;
  const InitLayout* layout = nullptr;  // absent: not known yet, one GPU stands for it
};

// Tokens of the longest request: prompts and outputs are drawn around their means.
int longest_of(const InitRequest& request);

std::string plan_text(const InitDraft& draft);
// What the chosen plan is, in lines for a reader.
std::string decisions(const InitDraft& draft);
// By how much nothing fits, and what would.
std::string nothing_fits(const InitDraft& draft, const InitLayout& found);

}  // namespace rehearse
