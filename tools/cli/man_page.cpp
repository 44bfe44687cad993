// Manual pages. What is written is text in the language of man(7), as groff and mandoc read it: a
// line that starts with a dot is a macro, so text never does.
#include "cli/man_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace rehearse {
namespace {

// Text as it is, for troff: "\-" is the character that one types.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string head(const std::string& name, const std::string& purpose) {
  return fmt::format(".TH {} 1 \"\" \"rehearse {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n",
                     escaped(upper(name)), REHEARSE_VERSION, escaped(name), escaped(purpose));
}

// A paragraph with a tag in front: macro TP.
std::string tagged(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, escaped(text));
}

std::string option_paragraph(const OptionText& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) {
    names.push_back(option.positional ? italic(name) : bold(name));
  }
  std::string tag = fmt::format("{}", fmt::join(names, ", "));
  if (!option.positional && !option.metavar.empty()) tag += " " + italic(option.metavar);
  return tagged(tag, option.said());
}

std::string example_paragraphs(const std::vector<Example>& examples) {
  std::string text = ".SH EXAMPLES\n";
  for (const Example& example : examples) {
    text += fmt::format(".TP\n{}\n{}\n", bold(example.line), escaped(said_of(example)));
  }
  return text;
}

std::string exit_paragraphs(const std::vector<ExitCode>& codes) {
  std::string text = ".SH EXIT STATUS\n";
  for (const ExitCode& each : codes) text += tagged(bold(std::to_string(each.code)), each.meaning);
  return text;
}

}  // namespace

std::string man_page_of_commands() {
  std::string text = head("rehearse", "rehearse a GPU cluster before you buy it");
  text += fmt::format(".SH SYNOPSIS\n{} {} [{}]...\n", bold("rehearse"), italic("COMMAND"),
                      italic("OPTION"));
  text +=
      ".SH DESCRIPTION\n"
      "Simulates language models on clusters of GPUs: how long a plan takes, whether it fits, "
      "which layout is\nthe best, what a service can carry.\n"
      ".SH COMMANDS\n";
  for (const CommandGroup group : kCommandGroups) {
    text += fmt::format(".SS {}\n", to_text(group));
    for (const Command& command : commands()) {
      if (command.group == group)
        text += tagged(bold("rehearse-" + command.name) + "(1)", command.purpose);
    }
  }
  const std::vector<Example>& examples = commands().front().examples;
  text += example_paragraphs(examples) + exit_paragraphs(exit_codes());
  text += ".SH FILES\n" + tagged(italic("share/rehearse"),
                                 "beside the folder of the program: its devices, engines, models "
                                 "and the schemas of its files");
  return text;
}

std::string man_page(const CommandPage& page) {
  const Command& command = *page.command;
  std::string text = head("rehearse-" + command.name, command.purpose);
  text += fmt::format(".SH SYNOPSIS\n{}", bold("rehearse " + command.name));
  for (const std::string& positional : page.positionals) text += " " + italic(positional);
  text += fmt::format(" [{}]...\n.SH OPTIONS\n", italic("OPTION"));
  for (const OptionSection& section : page.sections) {
    text += fmt::format(".SS {}\n", escaped(section.heading));
    for (const OptionText& option : section.options) text += option_paragraph(option);
  }
  text += example_paragraphs(command.examples) + exit_paragraphs(exit_codes(command));
  return text + ".SH SEE ALSO\n" + bold("rehearse") + "(1)\n";
}

}  // namespace rehearse
