// A plan that a command writes, and the platform beside it.
#pragma once

#include <string>

namespace rehearse {

struct WrittenPlan {
  std::string path;
  std::string plan;
  std::string platform_path;
  std::string platform;
};

// What stands there stays, but with `force`, and a platform that is the same. Throws InputError.
void write_plan(const WrittenPlan& written, bool force);

}  // namespace rehearse
