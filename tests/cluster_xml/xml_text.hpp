// Platform files that tests write for themselves.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace rehearse {

// A platform file with the given outermost zone; removed with the object.
class TemporaryXml {
 public:
  explicit TemporaryXml(const std::string& zone) {
    std::ofstream(path_) << "<?xml version=\"1.0\"?>\n"
                            "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                            "<platform version=\"4.1\">\n"
                         << zone << "\n</platform>\n";
  }
  TemporaryXml(const TemporaryXml&) = delete;
  TemporaryXml& operator=(const TemporaryXml&) = delete;
  ~TemporaryXml() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_ = "platform-" + std::to_string(getpid()) + ".xml";
};

inline std::string gpu_properties() {
  return "<prop id=\"memory\" value=\"80GB\"/><prop id=\"memory_bandwidth\" value=\"3.35TBps\"/>"
         "<prop id=\"compute_efficiency\" value=\"0.7\"/>"
         "<prop id=\"memory_efficiency\" value=\"0.8\"/>"
         "<prop id=\"kernel_launch\" value=\"2us\"/><prop id=\"collective_launch\" value=\"5us\"/>";
}

inline std::string gpu_cluster(const std::string& id, const std::string& prefix,
                               const std::string& radical, const std::string& bandwidth = "50GBps",
                               const std::string& attributes = "") {
  return "<cluster id=\"" + id + "\" prefix=\"" + prefix + "\" suffix=\"\" radical=\"" + radical +
         "\" speed=\"989Tf\" bw=\"" + bandwidth + "\" lat=\"1us\" " + attributes + ">" +
         gpu_properties() + "</cluster>";
}

}  // namespace rehearse
