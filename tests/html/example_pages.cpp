// Writes the example reports as pages: example_pages DIRECTORY
#include <cstdio>
#include <fstream>
#include <string>

#include "html/example_reports.hpp"

int main(int argc, char** argv) {
  using namespace rehearse;
  if (argc != 2) {
    std::fputs("usage: example_pages DIRECTORY\n", stderr);
    return 2;
  }
  const std::string directory = argv[1];
  const auto write = [&directory](const char* name, const std::string& page) {
    std::ofstream file(directory + "/" + name, std::ios::binary);
    file << page;
    return file.good();
  };
  const bool written = write("claims.html", claims_page(example_claims())) &&
                       write("search.html", search_page(example_search())) &&
                       write("service.html", example_service_page()) &&
                       write("run_24.html", example_run_page(24)) &&
                       write("run_1024.html", example_run_page(1024));
  return written ? 0 : 1;
}
