# Compiler flags of every target of this project. Headers of libraries are SYSTEM and produce no warnings.
add_library(deployd_flags INTERFACE)
target_compile_options(
  deployd_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wold-style-cast
            -Woverloaded-virtual
            -Wnull-dereference
            -Wimplicit-fallthrough
            -fno-omit-frame-pointer)

if(DEPLOYD_SANITIZE)
  add_compile_options(-fsanitize=${DEPLOYD_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DEPLOYD_SANITIZE})
  if(DEPLOYD_SANITIZE MATCHES undefined)
    # Debian's libsoci hides the type information that this check needs.
    add_compile_options(-fno-sanitize=vptr)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    # clang 14 cannot compile coroutines with this check of UndefinedBehaviorSanitizer.
    add_compile_options(-fno-sanitize=function)
  endif()
  if(DEPLOYD_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # ThreadSanitizer does not support Asio's fences. Mutexes order the same accesses.
    add_compile_options(-Wno-tsan)
  endif()
  # GCC's flow analysis reports paths that exist only in the instrumentation.
  target_compile_options(deployd_flags INTERFACE -Wno-null-dereference $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

if(DEPLOYD_HARDENING)
  add_compile_options(-D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection)
  add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -pie)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()
