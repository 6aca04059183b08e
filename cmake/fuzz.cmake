# deployd_fuzz(NAME SOURCES... DEPENDS TARGETS...): defines the libFuzzer program fuzz_NAME for ./dev fuzz.
if(DEPLOYD_FUZZ)
  # The layers are compiled with coverage counters, so that the fuzzer knows which branches an input takes.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

function(deployd_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  add_executable(fuzz_${name} ${arg_SOURCES})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE deployd_flags ${arg_DEPENDS})
endfunction()
