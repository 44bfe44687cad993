// Numbers of names (Instruction::name), each name once.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rehearse {

class Names {
 public:
  explicit Names(std::vector<std::string>& names) : names_(names) {}
  int of(const std::string& name) {
    const auto [at, is_new] = index_.try_emplace(name, static_cast<int>(names_.size()));
    if (is_new) names_.push_back(name);
    return at->second;
  }

 private:
  std::vector<std::string>& names_;
  std::map<std::string, int> index_;
};

}  // namespace rehearse
