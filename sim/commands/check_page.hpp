// The judgements of a check as a page.
#pragma once

#include <string>

#include "claims/report.hpp"

namespace rehearse {

std::string check_page(const CheckReport& report);

}  // namespace rehearse
