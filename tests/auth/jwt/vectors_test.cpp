// The examples of the RFCs.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>

#include "auth/jwt/jwks.hpp"
#include "auth/jwt/jwt.hpp"
#include "auth/jwt/signature_verifier.hpp"
#include "tests/auth/checking.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/stored_tokens.hpp"

namespace {

using namespace std::chrono_literals;
using deployd::auth::Authenticator;
using deployd::auth::KeyRing;
using deployd::tests::verdict;

struct Vector {
  std::string jwk;
  std::string token;
};

constexpr char const* joes_claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::chrono::sys_seconds joes_expiry{1300819380s};

Vector const rfc7515_a1{
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
    std::string("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.") + joes_claims +
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"};

Vector const rfc7515_a2{
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEz)"
    R"(P1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-)"
    R"(KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFk)"
    R"(MLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})",
    std::string("eyJhbGciOiJSUzI1NiJ9.") + joes_claims +
        ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
        "O8W2Fp5jujGbds9uJdbF9CUAr7"
        "t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"
        "xi12j"
        "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"
        "IoypGlUPQG"
        "e77Rw"};

Vector const rfc7515_a3{R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
                        std::string("eyJhbGciOiJFUzI1NiJ9.") + joes_claims +
                            ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"};

Vector const rfc7515_a4{
    R"({"kty":"EC","crv":"P-521",)"
    R"("x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
    R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
    "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3"
    "xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"};

Vector const rfc8037_a4{R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
                        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"};

std::string set_of(std::string const& jwk) {
  return R"({"keys":[)" + jwk + "]}";
}

}  // namespace

TEST_CASE("the signatures of the RFCs' examples are good, and no bit less") {
  auto const& vector = GENERATE_REF(rfc7515_a1, rfc7515_a2, rfc7515_a3, rfc7515_a4, rfc8037_a4);
  CAPTURE(vector.token);
  auto const keys = deployd::auth::read_jwks(set_of(vector.jwk), "set");
  REQUIRE(keys.size() == 1);
  auto const jwt = deployd::auth::read_jwt(vector.token);
  REQUIRE(jwt.has_value());
  deployd::auth::SignatureVerifier verifier;
  CHECK(suits(keys[0], jwt->algorithm));
  CHECK(verifier.verify(keys[0], jwt->algorithm, jwt->signed_text, jwt->signature));

  for (std::size_t i = 0; i < jwt->signature.size(); ++i) {
    auto signature = jwt->signature;
    signature[i] = static_cast<char>(signature[i] ^ 1);
    CHECK_FALSE(verifier.verify(keys[0], jwt->algorithm, jwt->signed_text, signature));
  }
  CHECK_FALSE(verifier.verify(keys[0], jwt->algorithm, std::string(jwt->signed_text) + "A", jwt->signature));
  CHECK(verifier.verify(keys[0], jwt->algorithm, jwt->signed_text, jwt->signature));
}

TEST_CASE("the JWTs of RFC 7515 are good until they expire") {
  auto const& vector = GENERATE_REF(rfc7515_a1, rfc7515_a2, rfc7515_a3);
  deployd::tests::KeyFiles const files;
  deployd::tests::StoredTokens store;
  Authenticator authenticator(
      KeyRing::load({.jwks_files = {files.write("jwks.json", set_of(vector.jwk))}, .issuer = "joe", .leeway = 0s}),
      store);
  CHECK(verdict(authenticator, "Bearer " + vector.token, joes_expiry - 1s) == "good: ");
  CHECK(verdict(authenticator, "Bearer " + vector.token, joes_expiry) == "expired");
}

TEST_CASE("the unsecured JWT of RFC 7519 is refused") {
  deployd::tests::KeyFiles const files;
  deployd::tests::StoredTokens store;
  Authenticator authenticator(KeyRing::load({.jwks_files = {files.write("jwks.json", set_of(rfc7515_a1.jwk))}}), store);
  CHECK(verdict(authenticator, std::string("Bearer eyJhbGciOiJub25lIn0.") + joes_claims + ".", joes_expiry - 1s) ==
        "algorithm not allowed");
}
