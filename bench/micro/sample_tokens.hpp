// JWTs as signed by an identity provider, valid until 2100, and the public halves of its keys.
#pragma once

#include <string_view>

namespace deployd::bench {

inline constexpr std::string_view es256_public_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0tQ7+QiOvgPtR4+NydRtFcf+oyYz\n"
    "jnUngCXyUBr13fDEKDDRoGrYROFKti0jcZBB0LsTL/R2zjza7xD8cpw3sw==\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view es256_token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwic3ViIjoiamFuZSIsImV4cCI6NDEwMjQ0NDg"
    "wMCwiaWF0IjoxNzAwMDAwMDAwfQ.E94E3AxFwnSnpAU5ZOUe-WPfQ0Y0HLM0mMgPkUR_Z18SphaZYOz70QIzxE440bRscXdyEWQj"
    "auDqZAKzxIelHQ";

inline constexpr std::string_view rs256_public_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnsaVr6BDZnpNbrc7woPa\n"
    "hcGygfJSl/KOamOFVuxZeSoIJWEzf4pgp5DrkzOp29G9HoiJH6viiY16QskGRW3/\n"
    "nXUdRnaglJExg4SmxQAn3Pz0jX8Sc8LdfUJJRyf9fZ6LSdZLfkGO2Rd6oiXMBPNw\n"
    "9XiJrVTC/pl47+itOGh3WaPFIyQ5D2lRjbdPu1sgaD1jCZER37NqqqPInXKAzBNs\n"
    "uW61EN+dnHHxP93l2WkpmXTBZpYwj1HbGhOcuS/BMOm++F+/QVxyeKeNsyp6LbbZ\n"
    "qy2dAfTrqkuSCJnato0vPdhSiUSEPMeF/HpXSWOfQdEPaQa4MsM7A3HVCMhDUVLT\n"
    "8wIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view rs256_token =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIiwic3ViIjoiamFuZSIsImV4cCI6NDEwMjQ0NDg"
    "wMCwiaWF0IjoxNzAwMDAwMDAwfQ.ZcnvonN_biXjezWznFMpO-qaMxq3wv6uerX1KfAWeCpKIsJ0HTp7x6eRPwTLKCI3jDeLd0jR"
    "Cw-pFvACtKPcRZ9mUlhuSxXvUUZNj84ffbTRIye0qFLydXV0H6wK-6-Fgyl20HJ-HzFRodlxTKIXnCPIDjf-4qt-8NVkZWP8Hxhm"
    "YQamOLsToDWfMy6ePepa-D0198ZFDkoKNRyGQ9WlUnCCbS4lSuaQ2HZYjfx5dn1hrOobkB6-OWSmBEcBGzTJbNDApKtwzvAGMds1"
    "_0OMbgKvjD2d1zbz2ywzv0eZC1JNqmW8_NNHAOh4gmhdmz_b4cM54teb4Q3tTnfgEza2zA";

}  // namespace deployd::bench
