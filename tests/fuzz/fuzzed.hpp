// What the fuzz targets share. A target reads one kind of input from a file whose bytes a fuzzer
// chose; the only thing that may happen to them is to be understood or to be refused with an
// InputError. Everything else (another exception, a sanitizer's finding, a hang) is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rehearse::fuzz {

// A folder of this process's own, in memory, that goes at exit.
const std::string& scratch_folder();

// Writes the bytes to scratch_folder()/name, over what was there; the file's path.
std::string write_scratch(const std::string& name, const std::uint8_t* bytes, std::size_t size);

// Calls `read`; an InputError it throws must have a text.
void read_or_refuse(void (*read)(const std::string& path), const std::string& path);

}  // namespace rehearse::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
