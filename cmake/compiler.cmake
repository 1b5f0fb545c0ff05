# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# How everything is compiled, with gcc or clang.  The presets for development
# (CMakePresets.json) turn warnings into errors.  Flags of a distribution (CFLAGS,
# LDFLAGS) and CMAKE_INTERPROCEDURAL_OPTIMIZATION take precedence over those below.
include(CheckCSourceCompiles)

add_library(jitr_compiler INTERFACE)
target_include_directories(jitr_compiler INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(jitr_compiler INTERFACE
	_DEFAULT_SOURCE JITR_VERSION="${PROJECT_VERSION}")
target_compile_options(jitr_compiler INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes
	-Wmissing-prototypes -Wvla -Wcast-qual -Wformat=2 -Wundef
	-fstack-protector-strong -fno-strict-aliasing
	$<$<BOOL:${JITR_WERROR}>:-Werror>)
target_link_options(jitr_compiler INTERFACE -Wl,-z,relro -Wl,-z,now)

if(JITR_SANITIZE)
	target_compile_options(jitr_compiler INTERFACE
		-fsanitize=${JITR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
	target_link_options(jitr_compiler INTERFACE -fsanitize=${JITR_SANITIZE})
	if(JITR_FUZZ)
		target_compile_options(jitr_compiler INTERFACE -fsanitize=fuzzer-no-link)
	endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
	# Some compilers and distributions define it already, often to 3.
	set(CMAKE_REQUIRED_FLAGS -O2)
	set(CMAKE_REQUIRED_QUIET ON)
	check_c_source_compiles("
		#ifndef _FORTIFY_SOURCE
		#error not defined
		#endif
		int main(void) { return 0; }" JITR_IS_FORTIFIED)
	unset(CMAKE_REQUIRED_FLAGS)
	unset(CMAKE_REQUIRED_QUIET)
	if(NOT JITR_IS_FORTIFIED)
		target_compile_options(jitr_compiler INTERFACE -D_FORTIFY_SOURCE=2)
	endif()
endif()

# The plugin is optimised as a whole: the code that runs for every packet is
# spread over several files.  Fat objects can be linked both ways, so that the
# many tests link quickly, and their --wrap works.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT JITR_SANITIZE)
	if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT CMAKE_C_FLAGS MATCHES "-f(no-)?lto" AND
			NOT DEFINED CMAKE_INTERPROCEDURAL_OPTIMIZATION)
		set(whole_program -flto=auto)
		target_compile_options(jitr_compiler INTERFACE ${whole_program})
	endif()
	target_compile_options(jitr_compiler INTERFACE -ffat-lto-objects)
	target_link_options(jitr_compiler INTERFACE
		$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-fno-lto>)
endif()

# A shared object that a host program loads by name: no lib prefix, our own
# symbols bound to ourselves (the broker exports names of its own), and every
# symbol it needs from elsewhere checked by the tests, since the host brings
# some of them.
function(jitr_module target output)
	set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${output}
		LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
	target_link_options(${target} PRIVATE
		${whole_program} -Wl,-Bsymbolic -Wl,--exclude-libs,ALL)
endfunction()
