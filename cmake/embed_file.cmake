# Writes C++ source OUTPUT, in which FUNCTION returns the bytes of INPUT (see embed.cmake).
string(REGEX REPLACE "::[^:]+$" "" namespace ${FUNCTION})
string(REGEX REPLACE "^.*::" "" name ${FUNCTION})
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
file(
  WRITE ${OUTPUT}
  "#include <string_view>

namespace ${namespace} {

static constexpr char bytes[] = {${bytes}};

std::string_view ${name}() noexcept;
std::string_view ${name}() noexcept {
  return {bytes, sizeof bytes};
}

}  // namespace ${namespace}
")
