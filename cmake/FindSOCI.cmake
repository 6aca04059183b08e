# Finds SOCI, which Debian ships without a CMake config or a .pc file.
#
# Components: the backends (sqlite3, postgresql). Targets: SOCI::core, SOCI::<backend>.
find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_core_LIBRARY soci_core)
mark_as_advanced(SOCI_INCLUDE_DIR SOCI_core_LIBRARY)

if(SOCI_INCLUDE_DIR)
  file(STRINGS ${SOCI_INCLUDE_DIR}/soci/version.h _soci_version REGEX "define SOCI_LIB_VERSION \"")
endif()
if(_soci_version MATCHES "\"([0-9]+)_([0-9]+)_([0-9]+)\"")
  set(SOCI_VERSION ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3})
endif()

foreach(_backend IN LISTS SOCI_FIND_COMPONENTS)
  find_library(SOCI_${_backend}_LIBRARY soci_${_backend})
  mark_as_advanced(SOCI_${_backend}_LIBRARY)
  if(SOCI_${_backend}_LIBRARY)
    set(SOCI_${_backend}_FOUND TRUE)
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  SOCI
  REQUIRED_VARS SOCI_core_LIBRARY SOCI_INCLUDE_DIR
  VERSION_VAR SOCI_VERSION
  HANDLE_COMPONENTS)

if(SOCI_FOUND AND NOT TARGET SOCI::core)
  add_library(SOCI::core UNKNOWN IMPORTED)
  set_target_properties(SOCI::core PROPERTIES IMPORTED_LOCATION ${SOCI_core_LIBRARY}
                                              INTERFACE_INCLUDE_DIRECTORIES ${SOCI_INCLUDE_DIR})
  foreach(_backend IN LISTS SOCI_FIND_COMPONENTS)
    add_library(SOCI::${_backend} UNKNOWN IMPORTED)
    set_target_properties(SOCI::${_backend} PROPERTIES IMPORTED_LOCATION ${SOCI_${_backend}_LIBRARY}
                                                       INTERFACE_LINK_LIBRARIES SOCI::core)
  endforeach()
  if(TARGET SOCI::postgresql)
    # soci-postgresql.h includes libpq-fe.h.
    find_package(PostgreSQL REQUIRED)
    target_link_libraries(SOCI::postgresql INTERFACE PostgreSQL::PostgreSQL)
  endif()
  if(TARGET SOCI::sqlite3)
    find_package(SQLite3 REQUIRED)
    target_link_libraries(SOCI::sqlite3 INTERFACE SQLite::SQLite3)
  endif()
endif()
