# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# The other installed files.  The documents keep their relative paths, so that links between
# them work.

# The example with the plugin's path on this system.
file(READ mosquitto.conf.example example)
string(REGEX REPLACE "plugin /[^\n]*/" "plugin ${CMAKE_INSTALL_FULL_LIBDIR}/" example "${example}")
file(CONFIGURE OUTPUT mosquitto.conf.example CONTENT "${example}" @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mosquitto.conf.example DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(FILES README.md CHANGELOG.md NOTICE.md LICENSE LICENSE.EPL-2.0 LICENSE.BSD-3-Clause
	DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY doc DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)

foreach(section IN ITEMS 1 8)
	file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/doc/man/*.${section})
	install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# Last: it has the checksums of everything above.  The manifest of the installation has it too,
# so that the manifest lists every file to remove.
configure_file(cmake/sbom.cmake.in sbom.cmake @ONLY)
install(CODE "set(sbom_root \"\$ENV{DESTDIR}\")
	set(sbom_prefix \"\${CMAKE_INSTALL_PREFIX}\")
	set(sbom_files \"\${CMAKE_INSTALL_MANIFEST_FILES}\")
	include(\"${PROJECT_BINARY_DIR}/sbom.cmake\")
	list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${document}\")")
