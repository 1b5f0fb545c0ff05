# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# Dependencies: Debian packages, found and their versions checked.
#
#   libssl-dev liblmdb-dev libcjson-dev mosquitto-dev libmosquitto-dev uthash-dev
#   check, for the tests

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)

# An interface library NAME for a header and a library that have no CMake
# package: says which Debian package to install when one is missing.
function(jitr_find name package header library)
	find_path(${name}_INCLUDE ${header})
	find_library(${name}_LIBRARY ${library})
	if(NOT ${name}_INCLUDE OR NOT ${name}_LIBRARY)
		message(FATAL_ERROR "${header} or lib${library} not found: apt install ${package}")
	endif()
	add_library(${name} INTERFACE)
	target_include_directories(${name} SYSTEM INTERFACE ${${name}_INCLUDE})
	target_link_libraries(${name} INTERFACE ${${name}_LIBRARY})
endfunction()

# Stop unless VERSION, read from a header, is at least MINIMUM.
function(jitr_require what version minimum)
	if(version VERSION_LESS minimum)
		message(FATAL_ERROR "${what} ${version} is too old: ${minimum} or newer is needed")
	endif()
	message(STATUS "Found ${what} ${version}")
endfunction()

# MAJOR.MINOR.PATCH from three #defines of a header.
function(jitr_header_version out header prefix)
	file(STRINGS ${header} lines REGEX "^#define +${prefix}_(MAJOR|MINOR|PATCH|REVISION)[ \t]")
	set(version "")
	foreach(part MAJOR MINOR "PATCH|REVISION")
		foreach(line IN LISTS lines)
			if(line MATCHES "_(${part})[ \t]+\\(?([0-9]+)")
				list(APPEND version ${CMAKE_MATCH_2})
			endif()
		endforeach()
	endforeach()
	list(JOIN version "." version)
	set(${out} "${version}" PARENT_SCOPE)
endfunction()

jitr_find(jitr_lmdb liblmdb-dev lmdb.h lmdb)
jitr_header_version(lmdb_version ${jitr_lmdb_INCLUDE}/lmdb.h MDB_VERSION)
jitr_require(LMDB "${lmdb_version}" 0.9.22)

jitr_find(jitr_cjson libcjson-dev cjson/cJSON.h cjson)
jitr_header_version(cjson_version ${jitr_cjson_INCLUDE}/cjson/cJSON.h CJSON_VERSION)
jitr_require(cJSON "${cjson_version}" 1.7.15)

jitr_find(jitr_libmosquitto libmosquitto-dev mosquitto.h mosquitto)
pkg_check_modules(libmosquitto REQUIRED libmosquitto>=2.0.11)

# The plugin API is headers only: the broker brings the functions.
find_path(jitr_mosquitto_plugin_INCLUDE NAMES mosquitto/broker.h mosquitto_broker.h)
if(NOT jitr_mosquitto_plugin_INCLUDE)
	message(FATAL_ERROR "mosquitto_broker.h not found: apt install mosquitto-dev")
endif()
add_library(jitr_mosquitto_plugin INTERFACE)
target_include_directories(jitr_mosquitto_plugin SYSTEM INTERFACE ${jitr_mosquitto_plugin_INCLUDE})
target_link_libraries(jitr_mosquitto_plugin INTERFACE ${CMAKE_DL_LIBS})

find_path(jitr_uthash_INCLUDE uthash.h)
if(NOT jitr_uthash_INCLUDE)
	message(FATAL_ERROR "uthash.h not found: apt install uthash-dev")
endif()
file(STRINGS ${jitr_uthash_INCLUDE}/uthash.h uthash_version REGEX "^#define UTHASH_VERSION")
string(REGEX REPLACE ".* " "" uthash_version "${uthash_version}")

execute_process(COMMAND getconf GNU_LIBC_VERSION
	OUTPUT_VARIABLE glibc_version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
string(REGEX REPLACE ".* " "" glibc_version "${glibc_version}")

# The tests need check.  JITR_TESTS is ON or OFF from here on.
if(JITR_TESTS)
	pkg_check_modules(check QUIET IMPORTED_TARGET check>=0.15)
	if(check_FOUND)
		message(STATUS "Found check ${check_VERSION}")
		set(JITR_TESTS ON)
	elseif(JITR_TESTS STREQUAL "AUTO")
		message(STATUS "The tests are not built: check is not installed (apt install check)")
		set(JITR_TESTS OFF)
	else()
		message(FATAL_ERROR "check 0.15 or newer not found, which JITR_TESTS=ON needs: apt install check")
	endif()
endif()
