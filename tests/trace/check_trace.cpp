// check_trace FILE.json.gz: prints what Perfetto's importer would drop or move aside, then how many
// events of each phase there are. Exit 0: none; 1: some; 2: not a trace.
#include <exception>
#include <iostream>

#include "trace/importer_rules.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: check_trace FILE.json.gz\n";
    return 2;
  }
  try {
    const rehearse::ImportedTrace trace =
        rehearse::import_trace(rehearse::read_gzip(argv[1]), /*keep_args=*/false);
    const auto violations = rehearse::check_importer_rules(trace);
    for (const std::string& violation : violations) std::cout << violation << '\n';
    for (const auto& [phase, count] : trace.events_by_phase) {
      std::cout << phase << ' ' << count << '\n';
    }
    std::cout << "violations " << violations.size() << '\n';
    return violations.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << argv[1] << ": " << error.what() << '\n';
    return 2;
  }
}
