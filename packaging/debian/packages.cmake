# The Debian packages, by CPack: deployd, and deployd-bench.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME deployd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(DEPLOYD_PACKAGE_CONTACT "The deployd authors <deployd@example.org>" CACHE STRING "Who maintains the packages")
set(CPACK_PACKAGE_CONTACT "${DEPLOYD_PACKAGE_CONTACT}")
# Each package has its own.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL deployd deployd-bench)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_DEBIAN_DEPLOYD_PACKAGE_NAME deployd)
set(CPACK_DEBIAN_DEPLOYD_PACKAGE_SECTION httpd)
# For keys by URL.
set(CPACK_DEBIAN_DEPLOYD_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_DEPLOYD_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_DEPLOYD_PACKAGE_SUGGESTS "deployd-bench, postgresql")
set(CPACK_DEBIAN_DEPLOYD_DESCRIPTION
    "server for the read-only deployments REST API
deployd serves the deployments of a data-integration platform from a SQLite
file or from PostgreSQL. Clients authenticate with API tokens or JSON Web
Tokens.
.
The service receives its sockets from systemd, so that it can be restarted and
upgraded without losing a request.")
set(CPACK_DEBIAN_DEPLOYD_PACKAGE_CONTROL_EXTRA
    "${CMAKE_CURRENT_SOURCE_DIR}/debian/postinst;${CMAKE_CURRENT_SOURCE_DIR}/debian/prerm"
    "${CMAKE_CURRENT_SOURCE_DIR}/debian/postrm;${CMAKE_CURRENT_SOURCE_DIR}/debian/conffiles")

set(CPACK_DEBIAN_DEPLOYD-BENCH_PACKAGE_NAME deployd-bench)
set(CPACK_DEBIAN_DEPLOYD-BENCH_PACKAGE_SECTION web)
set(CPACK_DEBIAN_DEPLOYD-BENCH_DESCRIPTION
    "load generator that checks every response
deployd-bench sends keep-alive GETs to an HTTP server over many connections,
in a closed or open loop, checks each response, and reports the rate and the
percentiles of latency as text, JSON and HTML.")

# Required by Debian policy: a changelog of the package, and the copyright.
set(DEPLOYD_PACKAGE_DATE "Thu, 01 Jan 2026 00:00:00 +0000" CACHE STRING "Date of the packages, as in RFC 5322")
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
string(REGEX REPLACE "^MIT License\n\n[^\n]*\n\n" "" license "${license}")
string(REGEX REPLACE "\n$" "" license "${license}")
string(REPLACE "\n\n" "\n.\n" license "${license}")
string(REPLACE "\n" "\n " DEPLOYD_LICENSE_TEXT " ${license}")
configure_file(debian/copyright.in copyright @ONLY)
foreach(package deployd deployd-bench)
  set(DEPLOYD_PACKAGE_NAME ${package})
  configure_file(debian/changelog.in ${package}.changelog @ONLY)
  set(documentation ${CMAKE_CURRENT_BINARY_DIR}/${package}-doc)
  file(MAKE_DIRECTORY ${documentation})
  execute_process(COMMAND gzip -9nc ${CMAKE_CURRENT_BINARY_DIR}/${package}.changelog
                  OUTPUT_FILE ${documentation}/changelog.Debian.gz COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md OUTPUT_FILE ${documentation}/changelog.gz
                                                                                   COMMAND_ERROR_IS_FATAL ANY)
  install(
    FILES ${documentation}/changelog.Debian.gz ${documentation}/changelog.gz ${CMAKE_CURRENT_BINARY_DIR}/copyright
    DESTINATION share/doc/${package}
    COMPONENT ${package})
endforeach()

include(CPack)
