// Plans that commands write: the platform beside them, and what they are before they are files.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "catalog/write_platform.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// As a textproto has a text.
std::string quoted(const std::string& text);

// What a plan in the file `out` (empty: stdout) calls the model: the name as typed, or a path from
// its own folder.
std::string model_beside(const std::string& model, const std::string& out);

// The platform of a plan: beside it, with its name.
std::string platform_beside(const std::string& out, const std::string& gpu, int gpus);

// The servers, racks or hosts that so many GPUs come in. Throws InputError, at `place`, where the
// device file does not say how several are joined.
PlatformRequest platform_of_gpus(const std::string& gpu, const std::vector<std::string>& devices,
                                 const DeviceSheet& sheet, int gpus, const SourceLocation& place);

// `rehearse platform ... --out FILE`
std::string platform_command(const PlatformRequest& platform, const std::string& file);

// What is wrong, without the place: of a text that is no file yet, nobody can look there.
std::string said_by(const InputError& error);

// Both texts, to be read as `rehearse run` reads files.
class PlanTexts {
 public:
  PlanTexts(const std::string& plan, const std::string& platform)
      : plan_(plan), platform_(platform) {}

  Plan read(const std::string& model_path) const;
  // With every check that needs no simulation. Throws InputError.
  void check(const std::string& model_path, const Model& model) const;

 private:
  MemoryFile plan_;
  MemoryFile platform_;
};

}  // namespace rehearse
