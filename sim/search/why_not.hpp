// Why a layout is not the answer of a search, and by how much: for any layout, also one that is
// ranked, and one outside of the ranges that are searched.
#pragma once

#include <string>

#include "search/search.hpp"

namespace rehearse {

// "tensor=4,pipeline=2" or, as tables call them, "tp=4,pp=2": the layouts with these degrees.
struct Question {
  std::string text;
  SourceLocation where;
  std::map<std::string, int> degrees;  // by name, in no need of order
};
// `serves`: of a plan that does. Throws InputError: a word that is no DEGREE=NUMBER, or a degree
// that is given twice.
Question read_question(const std::string& text, const SourceLocation& where, bool serves = false);

// The space with these degrees instead of its own, on as many GPUs as it allows or, where all
// degrees are given, as they need.
Space space_of_question(const Question& question, const Space& space, bool serves = false);

// What the rules say of `found`, the layouts of space_of_question: how many there are, and why some
// are not legal. Where the degrees fit no number of GPUs that is searched, why they are not legal
// on as many GPUs as they multiply to either.
std::string rules_text(const Question& question, const SearchInputs& inputs,
                       const Enumeration& found);

// What the search says about SearchInputs::asked: of several how many there are for each reason
// and which misses least, and a line each where they are few.
std::string answers_text(const SearchInputs& inputs, const SearchResult& result);

}  // namespace rehearse
