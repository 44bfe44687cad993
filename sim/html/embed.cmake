# Writes OUT, a C++ file with the text of FILES as constants kAssetNAME, empty where there is no PATH:
#   embed.cmake -D OUT=... -D "FILES=NAME=PATH;..."
set(text "#include \"html/assets.hpp\"\n\nnamespace rehearse {\n")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([A-Za-z]+)=(.*)$" ok "${entry}")
  set(name ${CMAKE_MATCH_1})
  if(CMAKE_MATCH_2 STREQUAL "")
    string(APPEND text "const std::string_view kAsset${name};\n")
    continue()
  endif()
  file(SIZE "${CMAKE_MATCH_2}" size)
  # As numbers: no text can end a list of numbers before its time.
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "namespace {\nconstexpr unsigned char kBytes${name}[] = {\n${bytes}0};\n}\n"
                     "const std::string_view kAsset${name}(reinterpret_cast<const char*>(kBytes${name}), ${size});\n")
endforeach()
file(WRITE "${OUT}" "${text}}\n")
