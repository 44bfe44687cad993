// How uneven loads are.
#pragma once

#include <vector>

namespace rehearse {

double max_over_mean(const std::vector<double>& loads);             // 1: even; also when all are 0
double coefficient_of_variation(const std::vector<double>& loads);  // standard deviation / mean
// Half the mean absolute difference of two loads over the mean load: 0 even, (n-1)/n all in one.
double gini(std::vector<double> loads);

}  // namespace rehearse
