# Uses ccache if it is installed.
find_program(DEPLOYD_CCACHE ccache)
mark_as_advanced(DEPLOYD_CCACHE)
if(DEPLOYD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DEPLOYD_CCACHE})
endif()
