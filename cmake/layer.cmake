# deployd_layer(NAME SOURCES... DEPENDS TARGETS...): the library target of one folder of the house.
# Headers are named from the root, as in #include "storage/store.hpp".
function(deployd_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
  add_library(deployd_${name} STATIC ${arg_SOURCES})
  add_library(deployd::${name} ALIAS deployd_${name})
  target_include_directories(deployd_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(
    deployd_${name}
    PUBLIC ${arg_DEPENDS}
    PRIVATE deployd_flags ${arg_PRIVATE_DEPENDS})
endfunction()
