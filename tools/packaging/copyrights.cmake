# Run when the component `libraries` is installed: what Debian says of the copyright of each library that the tarball brings, in
# share/doc/rehearse/libraries/PACKAGE.copyright. Its licences (the LGPL of SimGrid is one) ask for that.
set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
file(GLOB libraries RELATIVE ${prefix}/lib/rehearse ${prefix}/lib/rehearse/*)
foreach(library IN LISTS libraries)
  execute_process(COMMAND dpkg-query --search "*/${library}" OUTPUT_VARIABLE found RESULT_VARIABLE failed ERROR_QUIET)
  string(REGEX MATCH "^[^:,\n]+" package "${found}")
  set(copyright /usr/share/doc/${package}/copyright)
  if(failed OR NOT EXISTS ${copyright})
    message(FATAL_ERROR "${library}: no Debian package with a copyright file has it (${copyright}); it must not be shipped without")
  endif()
  file(READ ${copyright} text)
  file(WRITE ${prefix}/share/doc/rehearse/libraries/${package}.copyright "${text}")
endforeach()
