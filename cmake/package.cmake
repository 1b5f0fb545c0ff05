# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
# The Debian package: scripts/package.sh, or `cpack` in a build below /usr.
#
# Plugin and command line are one package, because Debian's mosquitto_ctrl, which loads a
# module of it, is part of the broker's package.

set(JITR_MAINTAINER "mosquitto-jitr maintainers <maintainers@mosquitto-jitr.example>" CACHE STRING
	"Maintainer of the Debian package, Name <address>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "${JITR_MAINTAINER}")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/documents.cmake)
set(CPACK_JITR_SBOM ${PROJECT_BINARY_DIR}/sbom.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "mosquitto (>= 2.0.11)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "jq, python3-paho-mqtt")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
	${PROJECT_SOURCE_DIR}/cmake/debian/postinst
	${PROJECT_SOURCE_DIR}/cmake/debian/prerm
	${PROJECT_SOURCE_DIR}/cmake/debian/postrm)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "just-in-time registration of device certificates for Mosquitto")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
	"A plugin for the Mosquitto broker that does what AWS IoT Core does with
X.509 client certificates: an unknown device is registered when it first
connects, then activated by a rule or a program; from then on a policy says
what it may do. The package includes a module of mosquitto_ctrl and a program
with the same commands, named as those of the AWS command line.")

include(CPack)
