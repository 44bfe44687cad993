// report.html of a run.
#pragma once

#include <string>

#include "html/page_about.hpp"
#include "html/run_recorder.hpp"

namespace rehearse {

// `result` is the text of result.json. The same run gives the same bytes. REQUIRES: the recorder
// has seen end().
std::string run_page(const std::string& title, const std::string& result, const RunRecorder& run,
                     const PageAbout& about = {});

}  // namespace rehearse
