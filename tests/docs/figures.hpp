// Entries x documents x what the commands print -> which figures of the documents are wrong, which
// nobody checks, and the documents with the right ones.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "docs/entries.hpp"
#include "docs/markdown.hpp"

namespace rehearse {

// Where an entry stands in its document: its words, with any figure in place of each hole.
struct Match {
  Span words;
  std::vector<Span> figures;
};

// Every place. A space of the entry stands for any white space of the document.
std::vector<Match> find_entry(const Entry& entry, const std::string& document);

// What the document must say in place of the hole. `results`: what each command printed. Throws
// InputError at the hole where a command or a quantity is not there.
std::string figure_of(const Hole& hole, const nlohmann::json& results);

// The entry as it must stand in the document.
std::string words_of(const Entry& entry, const nlohmann::json& results);

// Corrects the figures of the entry in `document`, and says what was wrong with it; empty: nothing.
// Words that do not stand there, or twice, are reported and change nothing.
std::string correct(const Entry& entry, const nlohmann::json& results, std::string& document);

// Complaints about the figures of one document that no entry and no exemption covers, and about
// exemptions that cover none. A figure in the words of an entry is covered where one of its
// commands names the same number, and in a document all of whose code blocks run where one of these
// shows it.
std::vector<std::string> uncovered(const std::string& path, const std::string& document,
                                   const Entries& entries);

}  // namespace rehearse
