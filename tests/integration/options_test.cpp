// CONTRACT: options by flag, environment and file, and what each failure says and exits with.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// True if the server allows only this origin. Every response shows the effect of this option.
bool allows(RunningDeployd const& server, std::string const& origin) {
  return server.ask(request("GET", "/healthz", "Origin: " + origin + "\r\n"))["Access-Control-Allow-Origin"] == origin;
}

/// What a command that fails says: its status and the one line on standard error.
void expect_failure(std::vector<std::string> const& arguments, int status, std::string const& culprit,
                    std::map<std::string, std::string> const& environment = {}) {
  std::string all;
  for (auto const& argument : arguments) all += argument + ' ';
  CAPTURE(all, status, culprit);
  auto const outcome = run_deployd(arguments, environment);
  CAPTURE(outcome.err);
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(outcome.err.find(culprit) != std::string::npos);
}

struct BadValue {
  std::string option;  // without the dashes
  std::string value;
};

std::vector<BadValue> bad_values() {
  return {
      {"listen", "10.0.0.300:80"},
      {"listen", "::1:80"},
      {"listen", "[localhost]:80"},
      {"listen", "a host:80"},
      {"listen", "65536"},
      {"listen", "127.0.0.1"},
      {"listen", "127.0.0.1:65536"},
      {"listen", "unix:"},
      {"workers", "0"},
      {"workers", "x"},
      {"workers", "-1"},
      {"header-timeout", "10"},
      {"idle-timeout", "-1s"},
      {"write-timeout", "1w"},
      {"drain-timeout", ""},
      {"stream-timeout", "1.5s"},
      {"max-header-bytes", "16kb"},
      {"max-target-bytes", "0"},
      {"max-body-bytes", "x"},
      {"rate-limit", "0/s"},
      {"rate-limit", "10/m"},
      {"store-timeout", "soon"},
      {"cache-bytes", "-1"},
      {"access-log", "xml"},
      {"log-format", "xml"},
      {"log-level", "loud"},
      {"cors-origin", "a.example/x"},
      {"max-connections", "0"},
      {"max-connections-per-address", "-1"},
      {"jwt-leeway", "x"},
      {"jwt-issuer", ""},
      {"jwt-audience", ""},
      {"jwt-secret-file", ""},
      {"store-sessions", "0"},
      {"database", "mysql://x/y"},
  };
}

std::string variable_of(std::string option) {
  for (char& c : option) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return "DEPLOYD_" + option;
}

}  // namespace

TEST_CASE("a flag beats the environment, which beats the file", "[options]") {
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", "cors-origin = \"http://file.example\"\n");
  std::map<std::string, std::string> const variable{{"DEPLOYD_CORS_ORIGIN", "http://variable.example"}};
  RunningDeployd const all(store().url(), {"--config", config, "--cors-origin", "http://flag.example"}, variable);
  CHECK(allows(all, "http://flag.example"));
  CHECK_FALSE(allows(all, "http://variable.example"));
  RunningDeployd const two(store().url(), {"--config", config}, variable);
  CHECK(allows(two, "http://variable.example"));
  CHECK_FALSE(allows(two, "http://file.example"));
  RunningDeployd const one(store().url(), {"--config", config}, {{"DEPLOYD_CORS_ORIGIN", ""}});
  CHECK(allows(one, "http://file.example"));
}

TEST_CASE("what is repeatable is an array in the file, commas in the environment and several flags", "[options]") {
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", R"(cors-origin = ["http://a.example", "http://b.example"])");
  RunningDeployd const file(store().url(), {"--config", config});
  RunningDeployd const variable(store().url(), {}, {{"DEPLOYD_CORS_ORIGIN", "http://a.example,http://b.example"}});
  RunningDeployd const spaced(store().url(), {}, {{"DEPLOYD_CORS_ORIGIN", " http://a.example , http://b.example "}});
  RunningDeployd const flags(store().url(), {"--cors-origin", "http://a.example", "--cors-origin=http://b.example"});
  for (auto const* const server : {&file, &variable, &spaced, &flags}) {
    CHECK(allows(*server, "http://a.example"));
    CHECK(allows(*server, "http://b.example"));
    CHECK_FALSE(allows(*server, "http://c.example"));
  }
}

TEST_CASE("the configuration may stand in a file that the environment names", "[options]") {
  TemporaryDirectory const directory;
  auto const config = directory.write(
      "deployd.toml",
      "max-target-bytes = 100\nheader-timeout = \"5s\"\nmax-body-bytes = \"1KiB\"\nworkers = 1\ntake-over = false\n");
  RunningDeployd const server(store().url(), {}, {{"DEPLOYD_CONFIG", config}});
  CHECK(server.ask(request("GET", "/" + std::string(99, 'a'))).status == 404);
  CHECK(server.ask(request("GET", "/" + std::string(100, 'a'))).status == 414);
  CHECK(server.ask(request("GET", "/healthz", "Content-Length: 1025\r\n")).status == 413);
}

TEST_CASE("a configuration file may begin with a byte order mark", "[options]") {
  TemporaryDirectory const directory;
  std::string const mark = "\xEF\xBB\xBF";
  auto const config = directory.write("deployd.toml", mark + "workers = \"many\"\n");
  expect_failure({"check", "--config", config}, 78, config + ":1: workers: 'many'");
  directory.write("deployd.toml", mark + "database = \"" + store().url() + "\"\n");
  CHECK(run_deployd({"check", "--config", config}).status == 0);
}

TEST_CASE("the file that holds the secret wins over the variable, less one trailing newline", "[options]") {
  TemporaryDirectory const directory;
  auto const file = directory.write("secret", jwt_secret + "\n");
  RunningDeployd const server(store().url(), {"--jwt-secret-file", file},
                              {{"DEPLOYD_JWT_SECRET", std::string(32, 'x')}});
  auto const sign = [](std::map<std::string, std::string> const& environment) {
    auto token = run_deployd({"token", "sign", "--subject", "jane"}, environment).out;
    return token.substr(0, token.find('\n'));
  };
  auto const status = [&](std::string const& token) {
    return server.ask(request("GET", "/api/v1/deployments/1", bearer(token))).status;
  };
  CHECK(status(sign({{"DEPLOYD_JWT_SECRET", jwt_secret}})) == 200);
  CHECK(status(sign({{"DEPLOYD_JWT_SECRET_FILE", file}})) == 200);
  CHECK(status(sign({{"DEPLOYD_JWT_SECRET", std::string(32, 'x')}})) == 401);
}

TEST_CASE("every option is a flag, a variable and a key of the file, and an empty variable counts as unset",
          "[options]") {
  TemporaryDirectory const directory;
  auto const secret = directory.write("secret", jwt_secret);
  auto const jwks = directory.write("jwks.json", R"({"keys":[]})");
  auto const log = (directory.path() / "access.log").string();
  std::vector<std::pair<std::string, std::string>> const values{{"database", store().url()},
                                                                {"log-format", "json"},
                                                                {"log-level", "debug"},
                                                                {"listen", "[::1]:0"},
                                                                {"take-over", "true"},
                                                                {"workers", "2"},
                                                                {"jwt-secret-file", secret},
                                                                {"jwks", jwks},
                                                                {"jwt-issuer", "https://id.example"},
                                                                {"jwt-audience", "deployd"},
                                                                {"jwt-leeway", "5"},
                                                                {"cors-origin", "https://a.example"},
                                                                {"max-connections", "10"},
                                                                {"max-connections-per-address", "5"},
                                                                {"header-timeout", "500ms"},
                                                                {"idle-timeout", "5m"},
                                                                {"write-timeout", "1h"},
                                                                {"drain-timeout", "0s"},
                                                                {"stream-timeout", "30d"},
                                                                {"max-header-bytes", "64KiB"},
                                                                {"max-target-bytes", "1MiB"},
                                                                {"max-body-bytes", "0"},
                                                                {"rate-limit", "0.5/s"},
                                                                {"store-sessions", "1"},
                                                                {"store-timeout", "1s"},
                                                                {"cache-bytes", "1GiB"},
                                                                {"no-page", "true"},
                                                                {"access-log", "json"},
                                                                {"access-log-file", log}};
  std::vector<std::string> flags{"check"};
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> empty_variables{{"DEPLOYD_CONFIG", ""}, {"DEPLOYD_JWT_SECRET", ""}};
  std::string file;
  for (auto const& [option, value] : values) {
    bool const is_switch = option == "take-over" || option == "no-page";
    flags.push_back("--" + option + (is_switch ? "" : "=" + value));
    variables[variable_of(option)] = value;
    empty_variables[variable_of(option)] = "";
    file += option + " = " + (is_switch ? value : '"' + value + '"') + '\n';
  }
  auto const config = directory.write("deployd.toml", file);
  for (auto const& outcome : {run_deployd(flags), run_deployd({"check"}, variables),
                              run_deployd({"check", "--config", config}, empty_variables)}) {
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(outcome.out.find(store().url()) != std::string::npos);
  }
}

TEST_CASE("several addresses are all served, by one program", "[options]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  RunningDeployd server(store().url(), {"--listen", "127.0.0.1:0", "--listen", "unix:" + path});
  auto const line = server.process().wait_for_line("listening on 127.0.0.1:");
  auto const second = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  server.process().wait_for_line("listening on unix:" + path);
  CHECK(second != server.port());
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  CHECK(HttpConnection(second).ask(request("GET", "/healthz")).status == 200);
  CHECK(HttpConnection(path).ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a port alone means all addresses, on one port", "[options]") {
  RunningDeployd server(store().url(), {"--listen", ":0"});
  auto const line = server.process().wait_for_line("listening on 0.0.0.0:");
  auto const port = line.substr(line.rfind(':') + 1);
  if (std::filesystem::exists("/proc/net/if_inet6")) server.process().wait_for_line("listening on [::]:" + port);
  CHECK(HttpConnection(static_cast<std::uint16_t>(std::stoul(port))).ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a host name means each of its addresses that this machine has", "[options]") {
  RunningDeployd server(store().url(), {"--listen", "localhost:0", "--admin-listen", "localhost:0"});
  server.process().wait_for_line(" serves ");
  auto const& log = server.process().err();
  CHECK(log.find("/metrics, /healthz and /readyz on 127.0.0.1:") != std::string::npos);
  auto const first = log.find("listening on 127.0.0.1:");
  CHECK(log.find("listening on 127.0.0.1:", first + 1) != std::string::npos);
}

TEST_CASE("addresses are checked for overlaps as they are written and as they are resolved", "[options]") {
  expect_failure({"check", "--listen", "80", "--listen", ":80"}, 64, "--listen: ':80' is given twice");
  expect_failure({"check", "--listen", "127.0.0.1:1", "--listen", "1"}, 64, "'127.0.0.1:1' and ':1' overlap");
  expect_failure({"check", "--listen", "host:1", "--admin-listen", "1"}, 64, "':1' overlaps with 'host:1' of --listen");
  for (std::string const command : {"check", "serve"}) {
    std::vector<std::string> const arguments{command, "--database", store().url(), "--listen", "127.0.0.1:1"};
    auto listen = arguments;
    listen.insert(listen.end(), {"--listen", "localhost:1"});
    expect_failure(listen, 69, "--listen: 'localhost:1' resolves to 127.0.0.1:1, which overlaps with 127.0.0.1:1");
    auto admin = arguments;
    admin.insert(admin.end(), {"--admin-listen", "localhost:1"});
    expect_failure(admin, 69, "--admin-listen: 'localhost:1' resolves to 127.0.0.1:1, which overlaps");
    expect_failure({command, "--database", store().url(), "--listen", "nowhere.invalid:80"}, 69,
                   "--listen: cannot listen on nowhere.invalid:80: the name 'nowhere.invalid' cannot be resolved: ");
  }
}

TEST_CASE("bad usage exits 64 with a line that names the option", "[options]") {
  expect_failure({"sevre"}, 64, "sevre");
  expect_failure({"serve", "--lisen", "127.0.0.1:0"}, 64, "--listen");
  expect_failure({"serve", "extra"}, 64, "extra");
  expect_failure({"serve", "--workers"}, 64, "--workers");
  expect_failure({"serve", "--database", store().url(), "--database", store().url()}, 64, "--database");
  expect_failure({"serve", "--listen", "127.0.0.1:1", "--listen", "127.0.0.1:1"}, 64,
                 "--listen: '127.0.0.1:1' is given twice");
  expect_failure({"check", "--listen", "0.0.0.0:1", "--listen", "127.0.0.1:1"}, 64,
                 "--listen: '0.0.0.0:1' and '127.0.0.1:1' overlap");
  expect_failure({"check", "--listen", "[::1]:1", "--listen", "[0::0]:1"}, 64,
                 "--listen: '[::1]:1' and '[::]:1' overlap");
  expect_failure({"check", "--listen", "unix:a", "--listen", "unix:./a"}, 64,
                 "--listen: 'unix:a' and 'unix:./a' overlap");
  expect_failure({"check", "--listen", "127.0.0.1:1", "--admin-listen", "0.0.0.0:1"}, 64,
                 "--admin-listen: '0.0.0.0:1' overlaps with '127.0.0.1:1' of --listen");
  expect_failure({"token", "create", "--database", store().url()}, 64, "--name");
  expect_failure({"token", "sign"}, 64, "--subject", {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  for (auto const& [option, value] : bad_values()) expect_failure({"serve", "--" + option, value}, 64, "--" + option);
}

TEST_CASE("deployd alone exits 64 and prints the commands to begin with", "[options]") {
  auto const outcome = run_deployd({});
  CHECK(outcome.status == 64);
  CHECK(outcome.err == "deployd: no command is given; see `deployd --help`\n");
  for (std::string const command : {"deployd import FILE", "deployd token create --name NAME", "deployd serve"})
    CHECK(outcome.out.find("  " + command + " ") != std::string::npos);
}

TEST_CASE("a mistyped command is refused with the one that is probably meant", "[options]") {
  expect_failure({"sevre"}, 64, "there is no command 'sevre'; did you mean `deployd serve`?");
  expect_failure({"tokn", "list"}, 64, "did you mean `deployd token`?");
  expect_failure({"revoke", "1"}, 64, "there is no command 'revoke'; did you mean `deployd token revoke`?");
  expect_failure({"token", "crate"}, 64, "token has no command 'crate'; did you mean `deployd token create`?");
  expect_failure({"help", "sreve"}, 64, "did you mean `deployd serve`?");
  expect_failure({"launch"}, 64, "there is no command 'launch'; see `deployd --help`");
  expect_failure({"--verson"}, 64, "did you mean --version?");
  expect_failure({"version", "x"}, 64, "'x' is one word too many");
}

TEST_CASE("help and version are commands as well as options", "[options]") {
  auto const out = [](std::vector<std::string> arguments) {
    auto const outcome = run_deployd(std::move(arguments));
    CHECK(outcome.status == 0);
    CHECK(outcome.err.empty());
    return outcome.out;
  };
  CHECK(out({"version"}) == out({"--version"}));
  CHECK(out({"-V"}) == out({"--version"}));
  CHECK(out({"help"}) == out({"--help"}));
  CHECK(out({"help", "serve"}) == out({"serve", "--help"}));
  CHECK(out({"help", "token", "create"}) == out({"token", "create", "--help"}));
  CHECK(out({"help", "token", "list"}).find("Example: deployd token list --format json") != std::string::npos);
}

TEST_CASE("output is not coloured", "[options]") {
  for (std::string const command : {"help", "check"}) {
    auto const outcome = run_deployd({command}, {{"DEPLOYD_DATABASE", store().url()}, {"CLICOLOR_FORCE", "1"}});
    CHECK((outcome.out + outcome.err).find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a word that is missing or too many is named, and no option is taken for the value of another", "[options]") {
  expect_failure({"serve", "--workers"}, 64, "--workers: its value is missing (N)");
  expect_failure({"serve", "--workers", "--database", "x"}, 64, "--workers: its value is missing (N)");
  expect_failure({"serve", "--workers", "--database=x"}, 64, "--workers: its value is missing (N)");
  expect_failure({"serve", "--workers=", "--database", "x"}, 64, "--workers: is empty");
  expect_failure({"import", "--database", store().url()}, 64, "import needs FILE; see `deployd import --help`");
  expect_failure({"token", "revoke"}, 64, "token revoke needs ID; see `deployd token revoke --help`");
  expect_failure({"token", "revoke", "1", "2"}, 64, "token revoke takes one ID");
  expect_failure({"backup", "a", "b"}, 64, "backup takes one FILE");
  expect_failure({"token", "list", "--workers", "1"}, 64, "token list has no option --workers");
}

TEST_CASE("no password of a database URL is shown, whatever is wrong with it and wherever it stands", "[options]") {
  TemporaryDirectory const directory;
  auto const unquoted = directory.write("unquoted.toml", "database = postgresql://u:s3cr?tPASS@127.0.0.1:1/x\n");
  auto const unclosed = directory.write("unclosed.toml", "database = \"postgresql://u:s3cr?tPASS@127.0.0.1:1/x\n");
  auto const outdated = directory.write("other.toml", "databse = \"postgresql://u:s3cr?tPASS@127.0.0.1:1/x\"\n");
  std::vector<std::vector<std::string>> commands{
      {"serve", "postgresql://u:s3cr?tPASS@127.0.0.1:1/x"},
      {"postgresql://u:s3cr?tPASS@127.0.0.1:1/x"},
      {"import", "postgresql://u:tPASS@127.0.0.1:1/x"},
      {"serve", "--listen", "postgresql://u:tPASS@127.0.0.1:1/x"},
      {"check", "--databse=postgresql://u:s3cr?tPASS@127.0.0.1:1/x"},
      {"backup", "x", "--database", "postgresql://u:s3cr?tPASS@127.0.0.1:1/x"},
      {"check", "--config", unquoted},
      {"check", "--config", unclosed},
      {"check", "--config", outdated},
  };
  for (std::string const url :
       {"postgresql://u:s3cr?tPASS@127.0.0.1:1/x", "postgresql://127.0.0.1:1/x?pass%77ord=tPASS",
        "postgresql://u:s3cr@tPASS@127.0.0.1:1/x", "postgresql://u:1/tPASS@127.0.0.1/x",
        "postgresql://u:tPASS%@127.0.0.1/x", "postgresql://h/x?passwrod=tPASS", "postgresql://h/x?password=a&tPASS"})
    for (std::string const command : {"serve", "check", "migrate", "export"})
      commands.push_back({command, "--database", url});
  for (auto const& command : commands) {
    auto const outcome = run_deployd(command);
    CAPTURE(command, outcome.err);
    CHECK(outcome.status != 0);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find("tPASS") == std::string::npos);
  }
}

TEST_CASE("options in the URL of a SQLite store are refused by name, and no file is made", "[options]") {
  TemporaryDirectory const directory;
  auto const url = "sqlite:" + (directory.path() / "a.db").string() + "?mode=ro";
  for (std::string const command : {"serve", "check", "migrate", "export"}) {
    expect_failure({command, "--database", url}, 64, "'mode'");
    expect_failure({command}, 78, "'mode'", {{"DEPLOYD_DATABASE", url}});
  }
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("a name may begin with dashes", "[options]") {
  CHECK(run_deployd({"token", "create", "--database", store().url(), "--name", "--x"}).status == 0);
  CHECK(run_deployd({"token", "create", "--database", store().url(), "--name=--workers"}).status == 0);
}

TEST_CASE("a bad value in the environment or the file exits 78 with a line that names it", "[options]") {
  TemporaryDirectory const directory;
  expect_failure({"serve"}, 78, "DEPLOYD_WORKERS", {{"DEPLOYD_WORKERS", "many"}});
  expect_failure({"serve"}, 78, "DEPLOYD_CORS_ORIGIN", {{"DEPLOYD_CORS_ORIGIN", "http://a.example,x y"}});
  auto const file = [&](std::string const& text) { return directory.write("deployd.toml", text); };
  auto const config = file("");
  auto const line = [&](int number) { return config + ":" + std::to_string(number); };
  file("\nworkers = \"many\"\n");
  expect_failure({"serve", "--config", config}, 78, line(2));
  file("# a comment\n\nworker = 1\n");
  expect_failure({"serve", "--config", config}, 78, line(3));
  file("workers = [1]\n");
  expect_failure({"serve", "--config", config}, 78, line(1));
  file("workers = 1.5\n");
  expect_failure({"serve", "--config", config}, 78, line(1));
  file("workers = 1\nworkers = 2\n");
  expect_failure({"serve", "--config", config}, 78, line(2));
  file("listen = \n");
  expect_failure({"serve", "--config", config}, 78, line(1));
  file("\njwt-issuer = \"\"\n");
  expect_failure({"serve", "--config", config}, 78, line(2));
  file("cors-origin = [\"http://a.example\", \"\"]\n");
  expect_failure({"serve", "--config", config}, 78, line(1));
  file("config = \"other.toml\"\n");
  expect_failure({"serve", "--config", config}, 78, line(1) + ": config: a configuration file");
  for (auto const& [option, value] : bad_values()) {
    file("# one line\n" + option + " = \"" + value + "\"\n");
    expect_failure({"serve", "--config", config}, 78, line(2) + ": " + option);
    if (!value.empty()) expect_failure({"serve"}, 78, variable_of(option), {{variable_of(option), value}});
  }
  file("\n[server]\nworkers = 1\n");
  expect_failure({"serve", "--config", config}, 78, line(2) + ": server: tables are not allowed");
  file("database = \"postgresql://u@h,i/d?target_session_attrs=master\"\n");
  expect_failure({"serve", "--config", config}, 78, line(1) + ": database");
  expect_failure({"serve", "--config", "/nonexistent.toml"}, 78, "/nonexistent.toml: No such file or directory");
  expect_failure({"serve", "--config", directory.path()}, 78, directory.path());
}

TEST_CASE("bad keys exit 78 with a line that names the file", "[options]") {
  TemporaryDirectory const directory;
  auto const database = store().url();
  auto const weak = directory.write("weak", "short");
  expect_failure({"serve", "--database", database, "--jwt-secret-file", weak}, 78, weak);
  expect_failure({"serve", "--database", database, "--jwt-secret-file", "/nonexistent"}, 78, "/nonexistent");
  expect_failure({"serve", "--database", database}, 78, "DEPLOYD_JWT_SECRET", {{"DEPLOYD_JWT_SECRET", "short"}});
  auto const junk = directory.write("junk", "no key");
  expect_failure({"serve", "--database", database, "--jwt-public-key", junk}, 78, junk);
  expect_failure({"serve", "--database", database, "--jwks", junk}, 78, junk);
  expect_failure({"check", "--database", database, "--jwks", junk}, 78, junk);
}

TEST_CASE("a file that cannot be used is named with the flag, variable or line that it came from", "[options]") {
  TemporaryDirectory const directory;
  auto const database = store().url();
  auto const certificate = directory.write("cert.pem", "no certificate");
  std::vector<std::pair<std::string, std::string>> const files{
      {"jwks", ""},
      {"jwt-public-key", ""},
      {"jwt-secret-file", ""},
      {"tls-cert", "tls-key = \"" + certificate + "\"\n"},
      {"tls-client-ca", "tls-cert = \"" + certificate + "\"\ntls-key = \"" + certificate + "\"\n"}};
  for (auto const& [option, others] : files) {
    std::string const wrong = option == "tls-client-ca" ? certificate : "/nowhere/file";
    auto const config = directory.write("deployd.toml", others);
    std::vector<std::string> const command{"check", "--database", database, "--config", config};
    auto with_flag = command;
    with_flag.insert(with_flag.end(), {"--" + option, "/nowhere/file"});
    auto const origin = [&, name = option](std::string const& own) {
      // The certificate is read before the authorities.
      return name == "tls-client-ca" ? config + ":1: tls-cert: " + wrong + ": " : own + ": " + wrong + ": ";
    };
    expect_failure(with_flag, 78, "deployd: " + origin("--" + option));
    expect_failure(command, 78, "deployd: " + origin(variable_of(option)), {{variable_of(option), "/nowhere/file"}});
    directory.write("deployd.toml", others + option + " = \"/nowhere/file\"\n");
    auto const line = std::count(others.begin(), others.end(), '\n') + 1;
    expect_failure(command, 78, "deployd: " + origin(config + ":" + std::to_string(line) + ": " + option));
  }
}

TEST_CASE("a store, an address and a log that cannot be had are named with the place that they came from",
          "[options]") {
  TemporaryDirectory const directory;
  auto const missing = "sqlite:" + (directory.path() / "missing.db").string();
  expect_failure({"export", "--database", missing}, 69, "deployd: --database: " + missing.substr(7) + ": ");
  expect_failure({"token", "list"}, 69, "deployd: DEPLOYD_DATABASE: ", {{"DEPLOYD_DATABASE", missing}});
  expect_failure({"check"}, 69, "deployd: DEPLOYD_DATABASE: postgresql://",
                 {{"DEPLOYD_DATABASE", "postgresql://nobody@127.0.0.1:1/none"}});
  auto const config = directory.write("deployd.toml", "\ndatabase = \"sqlite:missing.db\"\n");
  expect_failure({"serve", "--config", config}, 69, "deployd: " + config + ":2: database: " + missing.substr(7) + ": ");
  directory.write("deployd.toml", "listen = [\"192.0.2.1:80\"]\n");
  for (auto const* const command : {"serve", "check"})
    expect_failure(
        {command, "--database", store().url(), "--config", config}, 69,
        "deployd: " + config + ":1: listen: cannot listen on 192.0.2.1:80: ", {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  for (auto const* const command : {"serve", "check"}) {
    auto const log = (directory.path() / "none" / "access.log").string();
    expect_failure({command, "--database", store().url(), "--listen", "127.0.0.1:0", "--access-log-file", log}, 74,
                   "deployd: --access-log-file: " + log + ": No such file or directory",
                   {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  }
}

TEST_CASE("relative paths in a configuration file are relative to that file", "[options]") {
  TemporaryDirectory const directory;
  TemporaryDirectory const elsewhere;
  directory.write("jwks.json", R"({"keys":[]})");
  directory.write("secret", jwt_secret);
  auto const config = directory.write("deployd.toml",
                                      "database = \"sqlite:here.db\"\njwks = [\"jwks.json\"]\n"
                                      "jwt-secret-file = \"./secret\"\nlisten = \"unix:deployd.sock\"\n"
                                      "admin-listen = \"unix:admin.sock\"\naccess-log-file = \"access.log\"\n");
  Command command;
  command.directory = elsewhere.path();
  command.arguments = {deployd_program(), "migrate", "--config", config};
  auto const migrated = run(command);
  CAPTURE(migrated.err);
  CHECK(migrated.status == 0);
  CHECK(std::filesystem::exists(directory.path() / "here.db"));
  command.arguments[1] = "serve";
  Process server(command);
  server.wait_for_line("listening on unix:" + (directory.path() / "deployd.sock").string());
  for (auto const* const name : {"deployd.sock", "admin.sock", "access.log"})
    CHECK(std::filesystem::exists(directory.path() / name));
  CHECK(std::filesystem::is_empty(elsewhere.path()));

  // Elsewhere a path is relative to the working directory; and what is no path stays what it is.
  command.arguments = {deployd_program(), "check", "--config", config, "--database", "sqlite:here.db"};
  CHECK(run(command).err.find("--database: here.db: ") != std::string::npos);
  directory.write("deployd.toml", "database = \"sqlite::memory:\"\n");
  expect_failure({"check", "--config", config}, 78, "database: sqlite::memory: holds nothing");
}

TEST_CASE("a variable that no option has is warned of, with the name that may have been meant", "[options]") {
  std::map<std::string, std::string> const environment{{"DEPLOYD_WORKER", "2"},
                                                       {"DEPLOYD_JWT_SECRETT", "hidden-value"},
                                                       {"DEPLOYD_PORT", "8080"},
                                                       {"DEPLOYD_NOTHING_LIKE_IT", "1"},
                                                       {"DEPLOYD_WORKERZ", ""}};
  auto const outcome = run_deployd({"export", "--database", store().url()}, environment);
  CHECK(outcome.status == 0);
  for (auto const* const line :
       {"DEPLOYD_WORKER: there is no such option; did you mean DEPLOYD_WORKERS?\n",
        "DEPLOYD_JWT_SECRETT: there is no such option; did you mean DEPLOYD_JWT_SECRET?\n",
        "DEPLOYD_PORT: there is no such option\n", "DEPLOYD_NOTHING_LIKE_IT: there is no such option\n"}) {
    CAPTURE(line, outcome.err);
    CHECK(outcome.err.find(line) != std::string::npos);
  }
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 4);
  CHECK(outcome.err.find("hidden-value") == std::string::npos);
}

TEST_CASE("nothing is said of variables of Kubernetes and of other commands' options", "[options]") {
  std::map<std::string, std::string> const environment{{"DEPLOYD_PORT", "tcp://10.0.0.7:8080"},
                                                       {"DEPLOYD_SERVICE_HOST", "10.0.0.7"},
                                                       {"DEPLOYD_SERVICE_PORT", "8080"},
                                                       {"DEPLOYD_SERVICE_PORT_HTTP", "8080"},
                                                       {"DEPLOYD_PORT_8080_TCP", "tcp://10.0.0.7:8080"},
                                                       {"DEPLOYD_PORT_8080_TCP_PROTO", "tcp"},
                                                       {"DEPLOYD_PORT_8080_TCP_PORT", "8080"},
                                                       {"DEPLOYD_PORT_8080_TCP_ADDR", "10.0.0.7"},
                                                       {"DEPLOYD_ADMIN_SERVICE_HOST", "10.0.0.8"},
                                                       {"DEPLOYD_ADMIN_PORT_9090_TCP_ADDR", "10.0.0.8"},
                                                       {"DEPLOYD_WORKERS", "2"},
                                                       {"DEPLOYD_EXPIRES", "30d"},
                                                       {"DEPLOYD_JWT_SECRET", jwt_secret}};
  auto const outcome = run_deployd({"export", "--database", store().url()}, environment);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
}

TEST_CASE("check refuses addresses that serve cannot have, and notes those that are in use", "[options]") {
  TemporaryDirectory const directory;
  std::map<std::string, std::string> const secret{{"DEPLOYD_JWT_SECRET", jwt_secret}};
  auto const check = [&](std::string const& option, std::string const& address) {
    std::vector<std::string> arguments{"check", "--database", store().url(), option, address};
    if (option != "--listen") arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
    return arguments;
  };
  auto const file = directory.write("file", "");
  for (std::string const option : {"--listen", "--admin-listen"}) {
    expect_failure(check(option, "192.0.2.1:8080"), 69, option + ": cannot listen on 192.0.2.1:8080: ", secret);
    expect_failure(check(option, "unix:/nowhere/s"), 69, option + ": cannot listen on unix:/nowhere/s: ", secret);
    expect_failure(check(option, "unix:" + file), 69, "there is a file of that name that is no socket", secret);

    RunningDeployd server(store().url(), {"--listen", "unix:" + (directory.path() / "s").string()});
    server.process().wait_for_line("listening on unix:");
    for (auto const& used :
         {"127.0.0.1:" + std::to_string(server.port()), "unix:" + (directory.path() / "s").string()}) {
      auto const outcome = run_deployd(check(option, used), secret);
      CAPTURE(used, outcome.err);
      CHECK(outcome.status == 0);
      CHECK(outcome.out.find(option + ": " + used + " is in use") != std::string::npos);
      CHECK(server.ask(request("GET", "/healthz")).status == 200);
    }
    CHECK(HttpConnection((directory.path() / "s").string()).ask(request("GET", "/healthz")).status == 200);
  }
  auto const outcome = run_deployd(check("--listen", "unix:" + (directory.path() / "new").string()), secret);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  CHECK_FALSE(std::filesystem::exists(directory.path() / "new"));
}

TEST_CASE("check refuses a port and a folder that are only root's", "[options]") {
  if (::geteuid() != 0) SKIP("needs root, to be somebody else than root");
  TemporaryDirectory const directory;
  auto const as_nobody = [&](std::string const& address) {
    Command command;
    command.arguments = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                         deployd_program(),  "check",         "--listen",      address};
    command.environment = {{"DEPLOYD_JWT_SECRET", jwt_secret}, {"DEPLOYD_DATABASE", store().url()}};
    return run(command);
  };
  std::filesystem::permissions(store().directory(), std::filesystem::perms::all);
  for (auto const& file : std::filesystem::directory_iterator(store().directory()))
    std::filesystem::permissions(file.path(), std::filesystem::perms(0666));
  auto const socket = "unix:" + (directory.path() / "s").string();
  auto const outcome = as_nobody(socket);
  CAPTURE(outcome.err);
  CHECK(outcome.status == 69);
  CHECK(outcome.err.find("--listen: cannot listen on " + socket + ": Permission denied") != std::string::npos);
}

TEST_CASE("the log begins with one line that says what is served, to whom and where", "[options]") {
  RunningDeployd server(store().url(), {"--workers", "2"}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  auto const address = "127.0.0.1:" + std::to_string(server.port());
  auto const line = server.process().wait_for_line("deployd ");
  CAPTURE(line);
  CHECK(line.find(" serves " + store().url() + " (3 patterns, 5 deployments) on " + address + " with 2 workers, ") !=
        std::string::npos);
  CHECK(line.find(" accepts ") != std::string::npos);
  CHECK(line.find("JWTs signed with 1 configured key") != std::string::npos);
}

TEST_CASE("what the first line says of a large store is an estimate", "[options]") {
  auto const kind = GENERATE(StoreKind::sqlite, StoreKind::postgresql);
  std::string data = R"({"patterns":[{"id":1,"name":"P"}],"deployments":[)";
  for (int id = 1; id <= 12'000; ++id)
    data += (id == 1 ? "" : ",") + (R"({"id":)" + std::to_string(2 * id)) + R"(,"pattern_id":1,"name":"n"})";
  FilledStore const store(kind, data + "]}");
  (void)store.create_token();
  RunningDeployd server(store.url());
  auto const line = server.process().wait_for_line("deployd ");
  CAPTURE(line);
  auto const* const size = kind == StoreKind::sqlite ? "at most 23999 deployments)" : "about 12000 deployments)";
  CHECK(line.find("(1 pattern, " + std::string(size)) != std::string::npos);
  CHECK(line.ends_with("and accepts API tokens and no JWT"));
}

TEST_CASE("a store that is not to be had exits 69 with a line that names it", "[options]") {
  TemporaryDirectory const directory;
  auto const missing = (directory.path() / "missing.db").string();
  for (auto const* const command : {"serve", "check", "export"}) {
    expect_failure({command, "--database", "sqlite:" + missing}, 69, missing);
    expect_failure({command, "--database", "sqlite:" + missing}, 69, "deployd migrate");
  }
  expect_failure({"token", "list", "--database", "sqlite:" + missing}, 69, "deployd migrate");
  expect_failure({"token", "revoke", "1", "--database", "sqlite:" + missing}, 69, "deployd migrate");
  CHECK_FALSE(std::filesystem::exists(missing));
  auto const junk = directory.write("junk.db", std::string(8192, 'x'));
  expect_failure({"serve", "--database", "sqlite:" + junk}, 69, junk);
  expect_failure({"serve", "--database", "postgresql://nobody@127.0.0.1:1/none"}, 69, "127.0.0.1");
}

TEST_CASE("bad input data exits 65 with a line that names the line, and changes nothing", "[options]") {
  TemporaryDirectory const directory;
  auto const before = run_deployd({"export", "--database", store().url()}).out;
  auto const bad =
      directory.write("bad.ndjson", "{\"pattern\":{\"id\":9,\"name\":\"NEW\"}}\n{\"pattern\":{\"id\":\"x\"}}\n");
  expect_failure({"import", "--database", store().url(), bad}, 65, bad + ":2");
  CHECK(run_deployd({"export", "--database", store().url()}).out == before);
}

TEST_CASE("an address that another process listens on exits 69, unless it is to be taken over", "[options]") {
  RunningDeployd const first(store().url());
  auto const address = "127.0.0.1:" + std::to_string(first.port());
  expect_failure({"serve", "--database", store().url(), "--listen", address}, 69, address,
                 {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  RunningDeployd second(store().url(), {"--listen", address, "--take-over"});
  second.process().wait_for_line("listening on " + address);
}

TEST_CASE("an address for metrics that is taken is one line, even where nobody could get in", "[options]") {
  FilledStore const without_tokens(StoreKind::sqlite);
  RunningDeployd const other(store().url());
  auto const taken = "127.0.0.1:" + std::to_string(other.port());
  expect_failure({"serve", "--database", without_tokens.url(), "--listen", "127.0.0.1:0", "--admin-listen", taken}, 69,
                 "deployd: --admin-listen: cannot listen on " + taken + ": another process listens there");
}

TEST_CASE("check says nothing is wrong and exits 0, and help and version are on standard output", "[options]") {
  CHECK(run_deployd({"check", "--database", store().url()}, {{"DEPLOYD_JWT_SECRET", jwt_secret}}).status == 0);
  auto const version = run_deployd({"--version"});
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("deployd "));
  CHECK(version.err.empty());
  for (std::vector<std::string> const& arguments :
       {std::vector<std::string>{"--help"}, {"serve", "--help"}, {"token", "create", "--help"}}) {
    auto const help = run_deployd(arguments);
    CHECK(help.status == 0);
    CHECK(help.out.find("--") != std::string::npos);
    CHECK(help.out.find("Usage: deployd") != std::string::npos);
    CHECK(help.err.empty());
  }
}

TEST_CASE("the access log has a line a request, as text or as JSON", "[options]") {
  RunningDeployd text(store().url(), {"--access-log", "text"});
  CHECK(text.ask(request("GET", "/nothing?a=\"b\"")).status == 404);
  CHECK(text.process().wait_for_line("/nothing").find("\"GET /nothing?a=\\\"b\\\"\" 404 \"\"") != std::string::npos);
  RunningDeployd json(store().url(), {"--access-log", "json", "--log-format", "json"});
  auto const token = store().create_token();
  CHECK(json.ask(request("GET", "/api/v1/deployments/1", bearer(token))).status == 200);
  auto const line = json.process().wait_for_line("/api/v1/deployments/1");
  CHECK(line.find(R"("status":200,"subject":"test","duration_ms":)") != std::string::npos);
  CHECK(json.process().err().find(token) == std::string::npos);
}
