#include "server/tls/context.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "auth/key_error.hpp"
#include "tests/certificates.hpp"
#include "tests/process.hpp"

using namespace deployd::server;
using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

CertificateAuthority const& authority() {
  static CertificateAuthority const made;
  return made;
}

/// Certificates as files, and the options that name them.
class Files {
 public:
  void write(CertificateAndKey const& made) {
    auto const number = std::to_string(options.certificates.size());
    options.certificates.push_back(
        {directory.write("cert" + number, made.certificate), directory.write("key" + number, made.key)});
    std::filesystem::permissions(options.certificates.back().key, std::filesystem::perms(0600));
  }
  void add(std::vector<std::string> names, KeyType key = KeyType::p256) {
    write(authority().issue({.names = std::move(names), .key = key}));
  }

  std::shared_ptr<TlsContext const> load(std::shared_ptr<TlsTicketKeys> tickets = std::make_shared<TlsTicketKeys>()) {
    return TlsContext::load(options, std::move(tickets));
  }

  std::string complaint() {
    try {
      load();
    } catch (std::exception const& error) {
      return error.what();
    }
    return "(none)";
  }

  TemporaryDirectory directory;
  TlsOptions options;
};

using OwnedSession = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// What a client does differently from others.
struct Client {
  std::string server_name = {};
  int version = 0;
  std::string signatures = {};
  std::string ciphers = {};
  std::string protocols = {};  // for ALPN, in wire form
  CertificateAndKey const* shows = nullptr;
  SSL_SESSION* resumes = nullptr;
};

/// A handshake of a client with a context, in memory.
class Handshake {
 public:
  Handshake(TlsContext const& context, Client const& wish)
      : client_context_(SSL_CTX_new(TLS_client_method())), server_(context.accept()) {
    prepare(wish);
    client_.reset(SSL_new(client_context_.get()));
    BIO* ours = nullptr;
    BIO* theirs = nullptr;
    REQUIRE(BIO_new_bio_pair(&ours, 0, &theirs, 0) == 1);
    SSL_set_bio(client_.get(), ours, ours);
    SSL_set_bio(server_.get(), theirs, theirs);
    SSL_set_connect_state(client_.get());
    if (!wish.server_name.empty()) set_server_name(wish.server_name);
    if (wish.resumes != nullptr) SSL_set_session(client_.get(), wish.resumes);
    for (int turn = 0; turn < 10; ++turn) {
      SSL_do_handshake(client_.get());
      SSL_do_handshake(server_.get());
    }
    char byte = 0;
    SSL_read(client_.get(), &byte, 1);  // the tickets of TLS 1.3
    ERR_clear_error();
  }

  // Closed in order, or OpenSSL would not let the client's session be resumed.
  ~Handshake() { SSL_set_shutdown(client_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }
  Handshake(Handshake const&) = delete;
  Handshake& operator=(Handshake const&) = delete;

  SSL* client() const { return client_.get(); }
  SSL* server() const { return server_.get(); }
  bool done() const { return SSL_is_init_finished(server_.get()) == 1 && SSL_is_init_finished(client_.get()) == 1; }
  bool resumed() const { return done() && SSL_session_reused(server_.get()) == 1; }
  OwnedSession session() const { return {SSL_get1_session(client_.get()), SSL_SESSION_free}; }

  /// The common name of the server's certificate, which is its first name.
  std::string name() const {
    auto const* const certificate = SSL_get0_peer_certificate(client_.get());
    if (certificate == nullptr) return "(none)";
    std::string text(100, '\0');
    auto const size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(), 100);
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  std::string protocol() const {
    unsigned char const* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client_.get(), &chosen, &size);
    return chosen == nullptr ? "(none)" : std::string(reinterpret_cast<char const*>(chosen), size);
  }

 private:
  /// What the macro SSL_set_tlsext_host_name does, without its C cast.
  void set_server_name(std::string name) {
    REQUIRE(SSL_ctrl(client_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1);
  }

  void prepare(Client const& wish) {
    auto* const context = client_context_.get();
    if (wish.version != 0) {
      SSL_CTX_set_security_level(context, 0);
      SSL_CTX_set_min_proto_version(context, wish.version);
      SSL_CTX_set_max_proto_version(context, wish.version);
    }
    if (!wish.signatures.empty()) REQUIRE(SSL_CTX_set1_sigalgs_list(context, wish.signatures.c_str()) == 1);
    if (!wish.ciphers.empty()) REQUIRE(SSL_CTX_set_cipher_list(context, wish.ciphers.c_str()) == 1);
    if (!wish.protocols.empty())
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<unsigned char const*>(wish.protocols.data()),
                              static_cast<unsigned>(wish.protocols.size()));
    if (wish.shows == nullptr) return;
    OpenSslOwned<BIO> const certificate_text(BIO_new_mem_buf(wish.shows->certificate.data(), -1));
    OpenSslOwned<BIO> const key_text(BIO_new_mem_buf(wish.shows->key.data(), -1));
    OpenSslOwned<X509> const certificate(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
    OpenSslOwned<EVP_PKEY> const key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
    REQUIRE(SSL_CTX_use_cert_and_key(context, certificate.get(), key.get(), nullptr, 1) == 1);
  }

  OpenSslOwned<SSL_CTX> client_context_;
  OpenSslOwned<SSL> client_;
  OpenSslOwned<SSL> server_;
};

std::string name_for(TlsContext const& context, std::string const& server_name) {
  return Handshake(context, {.server_name = server_name}).name();
}

}  // namespace

TEST_CASE("the name that a client asks for chooses the certificate") {
  Files files;
  files.add({"first.example"});
  files.add({"second.example", "*.second.example"});
  files.add({"exact.second.example"});
  auto const context = files.load();
  CHECK(name_for(*context, "first.example") == "first.example");
  CHECK(name_for(*context, "second.example") == "second.example");
  CHECK(name_for(*context, "any.second.example") == "second.example");
  CHECK(name_for(*context, "exact.second.example") == "exact.second.example");
  CHECK(name_for(*context, "SECOND.Example") == "second.example");
}

TEST_CASE("a client that asks for no name, or for one that nobody has, gets the first certificate") {
  Files files;
  files.add({"first.example"});
  files.add({"*.second.example"});
  auto const context = files.load();
  for (std::string const name : {"", "other.example", "a.b.second.example", "second.example", "localhost"}) {
    CAPTURE(name);
    CHECK(name_for(*context, name) == "first.example");
  }
}

TEST_CASE("certificates for the same names with keys of two kinds are offered together") {
  Files files;
  files.add({"a.example"}, KeyType::p256);
  files.add({"a.example"}, KeyType::rsa);
  auto const context = files.load();
  for (std::string const signatures : {"ECDSA+SHA256", "RSA-PSS+SHA256"}) {
    CAPTURE(signatures);
    Handshake const handshake(*context, {.server_name = "a.example", .signatures = signatures});
    REQUIRE(handshake.done());
    auto const kind = signatures.starts_with("ECDSA") ? EVP_PKEY_EC : EVP_PKEY_RSA;
    CHECK(EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(handshake.client()))) == kind);
  }
}

TEST_CASE("a key that belongs to another certificate is refused, naming both files") {
  Files files;
  auto made = authority().issue();
  made.key = authority().issue().key;
  files.write(made);
  auto const complaint = files.complaint();
  CHECK(complaint.starts_with(files.options.certificates[0].key + ": "));
  CHECK(complaint.find(files.options.certificates[0].certificate) != std::string::npos);
}

TEST_CASE("a file that is missing, empty, damaged or of another kind is refused, naming it") {
  auto const good = authority().issue();
  auto const damaged = [](std::string text) { return text.replace(text.size() / 2, 4, "????"); };
  struct Case {
    CertificateAndKey given;
    bool certificate_at_fault;
  };
  auto const [given, certificate_at_fault] = GENERATE_COPY(
      Case{{"", good.key}, true}, Case{{good.certificate, ""}, false}, Case{{"junk", good.key}, true},
      Case{{good.certificate, "junk"}, false}, Case{{damaged(good.certificate), good.key}, true},
      Case{{good.certificate, damaged(good.key)}, false}, Case{{good.key, good.key}, true},
      Case{{good.certificate, good.certificate}, false}, Case{{good.certificate, encrypted(good.key)}, false},
      Case{{good.certificate + damaged(authority().certificate()), good.key}, true});
  Files files;
  files.write(given);
  auto const& named = files.options.certificates[0];
  auto const complaint = files.complaint();
  CAPTURE(complaint);
  CHECK(complaint.starts_with((certificate_at_fault ? named.certificate : named.key) + ": "));
  CHECK(complaint.find('\n') == std::string::npos);

  files.options.certificates[0] = {"/nonexistent/cert", "/nonexistent/key"};
  CHECK(files.complaint().starts_with("/nonexistent/cert: "));
}

TEST_CASE("an encrypted key is said to be encrypted") {
  Files files;
  auto made = authority().issue();
  made.key = encrypted(made.key);
  files.write(made);
  CHECK(files.complaint().find("encrypted") != std::string::npos);
}

TEST_CASE("a certificate and its key may stand in one file") {
  auto const made = authority().issue();
  for (auto const& text : {made.certificate + made.key, made.key + made.certificate}) {
    Files files;
    files.write({text, text});
    CHECK(Handshake(*files.load(), {}).done());
  }
}

TEST_CASE("a chain is sent with the certificate") {
  Files files;
  auto made = authority().issue();
  made.certificate += authority().certificate();
  files.write(made);
  Handshake const handshake(*files.load(), {});
  CHECK(sk_X509_num(SSL_get_peer_cert_chain(handshake.client())) == 2);
}

TEST_CASE("certificates that have expired, will soon or are not good yet are served and complained of") {
  struct Case {
    std::chrono::seconds from;
    std::chrono::seconds until;
    std::string said;
  };
  auto const [from, until, said] =
      GENERATE(Case{-48h, -1h, "has expired"}, Case{-48h, 13 * 24h, "expires soon"}, Case{1h, 1000h, "good only from"});
  Files files;
  files.write(authority().issue({.names = {"a.example"}, .from = from, .until = until}));
  auto const context = files.load();
  auto const complaints = context->complaints(std::chrono::system_clock::now());
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0].starts_with(files.options.certificates[0].certificate + ": "));
  CHECK(complaints[0].find(said) != std::string::npos);
  CHECK(Handshake(*context, {}).name() == "a.example");
}

TEST_CASE("a key that others can read is complained of, and a certificate that they can read is not") {
  Files files;
  files.add({"a.example"});
  auto const& named = files.options.certificates[0];
  std::filesystem::permissions(named.certificate, std::filesystem::perms(0644));
  auto const complaints = [&] { return files.load()->complaints(std::chrono::system_clock::now()); };
  for (auto const mode : {0600, 0640, 0400}) {
    std::filesystem::permissions(named.key, std::filesystem::perms(mode));
    CHECK(complaints().empty());
  }
  for (auto const mode : {0644, 0604, 0660}) {
    std::filesystem::permissions(named.key, std::filesystem::perms(mode));
    REQUIRE(complaints().size() == 1);
    CHECK(complaints()[0].starts_with(named.key + ": "));
  }
}

TEST_CASE("PEM files may begin with a byte order mark") {
  Files files;
  auto const made = authority().issue();
  std::string const mark = "\xEF\xBB\xBF";
  files.write({mark + made.certificate, mark + made.key});
  files.options.client_ca_file = files.directory.write("ca", mark + authority().certificate());
  CHECK(files.complaint() == "(none)");
}

TEST_CASE("of a certificate that is good for weeks nothing is said") {
  Files files;
  files.add({"a.example"});
  CHECK(files.load()->complaints(std::chrono::system_clock::now()).empty());
}

TEST_CASE("TLS 1.2 and 1.3 are spoken, older versions are not") {
  Files files;
  files.add({"a.example"});
  auto const context = files.load();
  CHECK(Handshake(*context, {.version = TLS1_2_VERSION}).done());
  CHECK(Handshake(*context, {.version = TLS1_3_VERSION}).done());
  CHECK_FALSE(Handshake(*context, {.version = TLS1_1_VERSION}).done());
  CHECK_FALSE(Handshake(*context, {.version = TLS1_VERSION}).done());
}

TEST_CASE("in TLS 1.2 only authenticated ciphers with a key exchange of their own are agreed on") {
  Files files;
  files.add({"a.example"}, KeyType::rsa);
  auto const context = files.load();
  for (auto const& [ciphers, agreed] : std::vector<std::pair<std::string, bool>>{{"ECDHE-RSA-AES128-GCM-SHA256", true},
                                                                                 {"ECDHE-RSA-CHACHA20-POLY1305", true},
                                                                                 {"ECDHE-RSA-AES128-SHA256", false},
                                                                                 {"AES128-GCM-SHA256", false},
                                                                                 {"AES128-SHA", false}}) {
    CAPTURE(ciphers);
    CHECK(Handshake(*context, {.version = TLS1_2_VERSION, .ciphers = ciphers}).done() == agreed);
  }
}

TEST_CASE("HTTP/1.1 is agreed on where a client offers protocols, and one that offers only others is refused") {
  Files files;
  files.add({"a.example"});
  auto const context = files.load();
  CHECK(Handshake(*context, {.protocols = "\x02h2\x08http/1.1"}).protocol() == "http/1.1");
  CHECK(Handshake(*context, {.protocols = "\x08http/1.0\x08http/1.1"}).protocol() == "http/1.1");
  CHECK(Handshake(*context, {.protocols = "\x08http/1.0"}).protocol() == "http/1.0");
  CHECK_FALSE(Handshake(*context, {.protocols = "\x02h2"}).done());
  Handshake const without(*context, {});
  CHECK(without.done());
  CHECK(without.protocol() == "(none)");
}

TEST_CASE("a client cannot negotiate anew") {
  Files files;
  files.add({"a.example"});
  auto const context = files.load();
  Handshake const handshake(*context, {.version = TLS1_2_VERSION});
  REQUIRE(handshake.done());
  SSL_renegotiate(handshake.client());
  for (int turn = 0; turn < 10; ++turn) {
    char byte = 0;
    SSL_do_handshake(handshake.client());
    SSL_read(handshake.server(), &byte, 1);
  }
  CHECK_FALSE(handshake.done());
  CHECK(SSL_num_renegotiations(handshake.server()) == 0);
}

TEST_CASE("with authorities for clients only a client with a certificate of theirs is let in") {
  Files files;
  files.add({"a.example"});
  files.options.client_ca_file = files.directory.write("ca", authority().certificate());
  auto const context = files.load();
  auto const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  auto const good = authority().issue({.names = {"jane"}});
  auto const expired = authority().issue({.names = {"jane"}, .from = -2h, .until = -1h});
  auto const stranger = CertificateAuthority().issue({.names = {"jane"}});
  auto const is_let_in = [&](CertificateAndKey const* shows) {
    return SSL_is_init_finished(Handshake(*context, {.version = version, .shows = shows}).server()) == 1;
  };
  CHECK(is_let_in(&good));
  CHECK_FALSE(is_let_in(nullptr));
  CHECK_FALSE(is_let_in(&expired));
  CHECK_FALSE(is_let_in(&stranger));
}

TEST_CASE("authorities that cannot be read are refused, naming the file") {
  Files files;
  files.add({"a.example"});
  for (std::string const text : {"", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    CAPTURE(text);
    files.options.client_ca_file = files.directory.write("ca", text);
    CHECK(files.complaint().starts_with(*files.options.client_ca_file + ": "));
  }
  files.options.client_ca_file = "/nonexistent/ca";
  CHECK(files.complaint().starts_with("/nonexistent/ca: "));
}

TEST_CASE("a session is resumed with the same context and with one that was loaded later") {
  Files files;
  files.add({"a.example"});
  auto const tickets = std::make_shared<TlsTicketKeys>();
  auto const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  Handshake const first(*files.load(tickets), {.version = version});
  REQUIRE(first.done());
  CHECK_FALSE(first.resumed());
  auto const session = first.session();
  CHECK(Handshake(*files.load(tickets), {.version = version, .resumes = session.get()}).resumed());
  Handshake const elsewhere(*files.load(), {.version = version, .resumes = session.get()});
  CHECK(elsewhere.done());
  CHECK_FALSE(elsewhere.resumed());
}

TEST_CASE("a session is resumed whichever certificate the name chooses") {
  Files files;
  files.add({"a.example"});
  files.add({"b.example"});
  auto const context = files.load();
  auto const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  for (std::string const name : {"a.example", "b.example"}) {
    CAPTURE(name);
    auto const session = Handshake(*context, {.server_name = name, .version = version}).session();
    CHECK(Handshake(*context, {.server_name = name, .version = version, .resumes = session.get()}).resumed());
  }
}

TEST_CASE("a session with a client's certificate is resumed only while the same authorities vouch for clients") {
  Files files;
  files.add({"a.example"});
  auto const tickets = std::make_shared<TlsTicketKeys>();
  auto const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  auto const open = files.load(tickets);
  files.options.client_ca_file = files.directory.write("ca", authority().certificate());
  auto const closed = files.load(tickets);
  files.options.client_ca_file = files.directory.write("ca", CertificateAuthority().certificate());
  auto const other = files.load(tickets);

  auto const jane = authority().issue({.names = {"jane"}});
  auto const session = Handshake(*closed, {.version = version, .shows = &jane}).session();
  auto const outsider = Handshake(*open, {.version = version}).session();
  CHECK(Handshake(*closed, {.version = version, .shows = &jane, .resumes = session.get()}).resumed());
  auto const is_let_in = [&](TlsContext const& context, SSL_SESSION* resumes) {
    return SSL_is_init_finished(Handshake(context, {.version = version, .resumes = resumes}).server()) == 1;
  };
  CHECK(is_let_in(*closed, session.get()));
  CHECK_FALSE(is_let_in(*other, session.get()));
  CHECK_FALSE(is_let_in(*closed, outsider.get()));
}

TEST_CASE("a session ends with the client's certificate") {
  Files files;
  files.add({"a.example"});
  files.options.client_ca_file = files.directory.write("ca", authority().certificate());
  auto const context = files.load();
  auto const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  auto const shown = authority().issue({.names = {"jane"}, .until = 2s});
  auto const session = Handshake(*context, {.version = version, .shows = &shown}).session();
  auto const resumes = [&] { return Handshake(*context, {.version = version, .resumes = session.get()}).resumed(); };
  CHECK(resumes());
  auto const deadline = std::chrono::steady_clock::now() + 10s;
  bool resumed = true;
  while (resumed && std::chrono::steady_clock::now() < deadline) resumed = resumes();
  CHECK_FALSE(resumed);
}
