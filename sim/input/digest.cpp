#include "input/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>

#include "base/error.hpp"
#include "base/files.hpp"

namespace rehearse {
std::string sha256_of(const std::vector<std::string>& files,
                      const std::vector<std::string>& texts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  SIM_CHECK(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is missing");
  const auto add = [&](const std::string& text) {
    const std::string length = fmt::format("{}:", text.size());
    SIM_CHECK(EVP_DigestUpdate(context.get(), length.data(), length.size()) == 1, "SHA-256 failed");
    SIM_CHECK(EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1, "SHA-256 failed");
  };
  for (const std::string& file : files) add(read_file(file, "an input", kLargestTrace));
  for (const std::string& text : texts) add(text);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  SIM_CHECK(EVP_DigestFinal_ex(context.get(), digest, &size) == 1, "SHA-256 failed");
  std::string hexadecimal;
  for (unsigned int at = 0; at < size; ++at) hexadecimal += fmt::format("{:02x}", digest[at]);
  return hexadecimal;
}

}  // namespace rehearse
