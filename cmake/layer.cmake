# deployd_layer(NAME SOURCES... DEPENDS TARGETS...): defines the library target of one folder.
# Headers are included by their path from the root, for example #include "storage/store.hpp". The target
# all_verify_interface_header_sets checks that each header compiles on its own (./dev lint builds it).
function(deployd_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
  add_library(deployd_${name} STATIC ${arg_SOURCES})
  add_library(deployd::${name} ALIAS deployd_${name})
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS *.hpp)
  target_sources(
    deployd_${name}
    PUBLIC FILE_SET HEADERS
           BASE_DIRS ${CMAKE_SOURCE_DIR}
           FILES ${headers})
  set_target_properties(deployd_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(
    deployd_${name}
    PUBLIC ${arg_DEPENDS}
    PRIVATE deployd_flags ${arg_PRIVATE_DEPENDS})
endfunction()
