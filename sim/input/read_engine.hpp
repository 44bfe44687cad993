// Engine files: workloads/schema/engine.proto.
#pragma once

#include <string>
#include <vector>

#include "input/program_files.hpp"
#include "input/source_text.hpp"
#include "profiles/engine_profile.hpp"

namespace rehearse {

// Checked, and named as its file. Throws InputError (file:line:col) for the first mistake.
EngineProfile read_engine_profile(const std::string& path);
EngineProfile parse_engine_profile(const SourceText& source);

// The engines that a plan may name: the files that come with the program (workloads/engines), and
// those of the user's own folders.
class EngineCatalog {
 public:
  // `folders` (--engines): see ProgramFiles.
  explicit EngineCatalog(const std::vector<std::string>& folders = {});

  std::vector<std::string> names() const { return files_.names(); }
  bool has(const std::string& name) const { return files_.files().contains(name); }
  // Throws InputError at `where` with the name that is near, or at the file's first mistake.
  EngineProfile find(const std::string& name, const SourceLocation& where) const;

  const std::vector<std::string>& notes() const { return files_.notes(); }

 private:
  ProgramFiles files_;
};

}  // namespace rehearse
