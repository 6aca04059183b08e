#include "storage/relation_name.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace deployd::storage;

TEST_CASE("a relation's name is quoted part by part, as PostgreSQL reads it") {
  struct Case {
    std::string name, quoted;
  };
  auto const c = GENERATE(values<Case>({
      {"deployments", R"("deployments")"},
      {"Ops.Deployments", R"("ops"."deployments")"},
      {R"("Ops"."My ""view""")", R"("Ops"."My ""view""")"},
      {R"(ops."a.b")", R"("ops"."a.b")"},
      {"_x$1.größe", R"("_x$1"."größe")"},
      {R"("; DROP TABLE x; --")", R"("; DROP TABLE x; --")"},
  }));
  CAPTURE(c.name);
  auto const quoted = quote_relation(c.name);
  REQUIRE(quoted.has_value());
  CHECK(*quoted == c.quoted);
}

TEST_CASE("what is no relation's name is refused") {
  auto const name = GENERATE(as<std::string>(), "", ".", "a.", ".a", "a.b.c", "a b", "1a", "a;b", "\"a", "a\"b\"",
                             "\"\"", "a-b", std::string(64, 'x'), std::string("\"a\0b\"", 5));
  CAPTURE(name);
  CHECK(quote_relation(name).has_error());
}
