# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# What Debian wants of an installation's documents that other systems do not.  Run by CPack
# between installing and packing.

set(root "${CPACK_TEMPORARY_DIRECTORY}")
set(doc "${root}/usr/share/doc/${CPACK_PACKAGE_NAME}")

function(compress)
	execute_process(COMMAND gzip -9n ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The text of a licence as a field of the file `copyright`.
function(licence name)
	file(READ "${doc}/LICENSE.${name}" text)
	string(STRIP "${text}" text)
	string(REPLACE "\n" "\n " text "${text}")
	string(REGEX REPLACE "\n +\n" "\n .\n" text "${text}")
	string(REGEX REPLACE "\n +\n" "\n .\n" text "${text}")
	file(APPEND "${doc}/copyright" "\nLicense: ${name}\n ${text}\n")
endfunction()

configure_file("${CMAKE_CURRENT_LIST_DIR}/copyright.in" "${doc}/copyright" @ONLY)
licence(EPL-2.0)
licence(BSD-3-Clause)
file(REMOVE "${doc}/LICENSE" "${doc}/LICENSE.EPL-2.0" "${doc}/LICENSE.BSD-3-Clause")

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file("${CMAKE_CURRENT_LIST_DIR}/changelog.in" "${doc}/changelog.Debian" @ONLY)
file(RENAME "${doc}/CHANGELOG.md" "${doc}/changelog")
file(GLOB pages "${root}/usr/share/man/man*/*.[1-8]")
compress("${doc}/changelog" "${doc}/changelog.Debian" ${pages})

file(MAKE_DIRECTORY "${root}/usr/share/lintian/overrides")
file(COPY_FILE "${CMAKE_CURRENT_LIST_DIR}/lintian-overrides"
	"${root}/usr/share/lintian/overrides/${CPACK_PACKAGE_NAME}")

file(REMOVE "${doc}/${CPACK_PACKAGE_NAME}.spdx.json")
file(GLOB_RECURSE sbom_files LIST_DIRECTORIES false RELATIVE "${root}" "${root}/*")
list(TRANSFORM sbom_files PREPEND /)
set(sbom_root "${root}")
set(sbom_prefix /usr)
include("${CPACK_JITR_SBOM}")
