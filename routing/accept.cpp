#include "routing/accept.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <optional>

namespace deployd::routing {
namespace {

using boost::beast::iequals;

constexpr bool is_token_character(char c) noexcept {
  bool const alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads the parts of a field value from the left (RFC 9110 §5.6).
class FieldScanner {
 public:
  explicit FieldScanner(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }

  void skip_white_space() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  /// Skips white space and the commas of empty list elements.
  void skip_to_element() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t,"), rest_.size())); }

  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Returns the token here; empty if there is none.
  std::string_view take_token() noexcept {
    auto const end = std::ranges::find_if_not(rest_, is_token_character);
    auto const token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }

  /// Returns the text between the quotes of the quoted string here, with its backslashes; nothing if there is none.
  std::optional<std::string_view> take_quoted() noexcept {
    if (!rest_.starts_with('"')) return std::nullopt;
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2U : 1U;
    if (end >= rest_.size()) return std::nullopt;
    auto const text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  /// Takes the comma after a list element, if more follows. Returns false if the element has not ended here.
  bool end_element() noexcept {
    skip_white_space();
    return at_end() || take(',');
  }

 private:
  std::string_view rest_;
};

/// Returns a qvalue (RFC 9110 §12.4.2) in thousandths.
std::optional<int> parse_quality(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int thousandths = text[0] == '1' ? 1000 : 0;
  int weight = 100;
  for (auto const digit : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return std::nullopt;
    thousandths += weight * (digit - '0');
    weight /= 10;
  }
  if (thousandths > 1000) return std::nullopt;
  return thousandths;
}

struct MediaType {
  std::string_view type;
  std::string_view subtype;
  bool utf8;    // has `charset=utf-8`
  bool header;  // has `header=present`
};

// In the order of Format.
constexpr std::array media_types{MediaType{"application", "json", true, false},
                                 MediaType{"application", "x-ndjson", true, false},
                                 MediaType{"text", "csv", true, true}};

/// A media range, as far as it has been read.
struct MediaRange {
  std::string_view type;
  std::string_view subtype;
  std::string_view version;
  int parameters = 0;
  bool utf8_only = false;
  bool header_only = false;
  bool other_parameters = false;  // ones that no representation here has
  int quality = 1000;

  bool is(std::string_view wanted_type, std::string_view wanted_subtype) const noexcept {
    return iequals(type, wanted_type) && iequals(subtype, wanted_subtype);
  }

  /// Returns how precisely the range matches `offered`, or nothing if it does not match.
  std::optional<int> precision_for(MediaType const& offered) const noexcept {
    if (other_parameters || (utf8_only && !offered.utf8) || (header_only && !offered.header)) return std::nullopt;
    if (type == "*") return parameters;
    if (!iequals(type, offered.type)) return std::nullopt;
    if (subtype == "*") return 1 + parameters;
    if (!iequals(subtype, offered.subtype)) return std::nullopt;
    return 2 + parameters;
  }
};

/// Reads `name=value`. The parameters after `q` belonged to RFC 7231 and mean nothing. Returns false if malformed.
bool read_parameter(FieldScanner& scanner, MediaRange& range, bool& after_quality) noexcept {
  auto const name = scanner.take_token();
  if (name.empty()) return true;  // RFC 9110 §5.6.6 allows empty parameters
  bool const has_value = scanner.take('=');
  if (!has_value) return after_quality;
  auto const quoted = scanner.take_quoted();
  auto const value = quoted ? *quoted : scanner.take_token();
  if (!quoted && value.empty()) return false;
  if (after_quality) return true;
  if (iequals(name, "q")) {
    auto const quality = quoted ? std::nullopt : parse_quality(value);
    range.quality = quality.value_or(0);
    after_quality = true;
    return quality.has_value();
  }
  ++range.parameters;
  if (iequals(name, "version")) range.version = value;
  bool const utf8 = iequals(name, "charset") && iequals(value, "utf-8");
  bool const header = iequals(name, "header") && iequals(value, "present");
  range.utf8_only = range.utf8_only || utf8;
  range.header_only = range.header_only || header;
  range.other_parameters = range.other_parameters || (!utf8 && !header);
  return true;
}

/// Returns the media range here, or nothing if it is malformed.
std::optional<MediaRange> read_media_range(FieldScanner& scanner) noexcept {
  MediaRange range;
  range.type = scanner.take_token();
  if (range.type.empty() || !scanner.take('/')) return std::nullopt;
  range.subtype = scanner.take_token();
  if (range.subtype.empty() || (range.type == "*" && range.subtype != "*")) return std::nullopt;
  bool after_quality = false;
  for (scanner.skip_white_space(); scanner.take(';'); scanner.skip_white_space()) {
    scanner.skip_white_space();
    if (!read_parameter(scanner, range, after_quality)) return std::nullopt;
  }
  if (!scanner.end_element()) return std::nullopt;
  return range;
}

struct WeightedCoding {
  std::string_view name;
  int quality = 1000;
};

std::optional<WeightedCoding> read_coding(FieldScanner& scanner) noexcept {
  WeightedCoding coding{scanner.take_token()};
  if (coding.name.empty()) return std::nullopt;
  scanner.skip_white_space();
  if (scanner.take(';')) {
    scanner.skip_white_space();
    if (!iequals(scanner.take_token(), "q") || !scanner.take('=')) return std::nullopt;
    auto const quality = parse_quality(scanner.take_token());
    if (!quality) return std::nullopt;
    coding.quality = *quality;
  }
  if (!scanner.end_element()) return std::nullopt;
  return coding;
}

}  // namespace

void AcceptedFormats::read(std::string_view field) noexcept {
  FieldScanner scanner(field);
  for (scanner.skip_to_element(); !scanner.at_end(); scanner.skip_to_element()) {
    auto const range = read_media_range(scanner);
    if (!range) {
      malformed_ = true;
      return;
    }
    for (std::size_t i = 0; i < formats_.size(); ++i) {
      auto const precision = range->precision_for(media_types[i]);
      if (precision && *precision >= formats_[i].precision) formats_[i] = {*precision, range->quality};
    }
  }
}

Format AcceptedFormats::best() const noexcept {
  if (malformed_) return Format::json;
  auto best = formats_.begin();
  for (auto format = formats_.begin(); format != formats_.end(); ++format) {
    bool const better =
        format->quality > best->quality || (format->quality == best->quality && format->precision > best->precision);
    if (better && format->quality > 0) best = format;
  }
  return static_cast<Format>(best - formats_.begin());
}

void AcceptedCodings::read(std::string_view field) noexcept {
  FieldScanner scanner(field);
  for (scanner.skip_to_element(); !scanner.at_end(); scanner.skip_to_element()) {
    auto const read = read_coding(scanner);
    if (!read) {
      malformed_ = true;
      return;
    }
    if (read->name == "*") others_ = read->quality;
    for (auto const coding : all_codings) {
      bool const named =
          iequals(read->name, to_string(coding)) || (coding == Coding::gzip && iequals(read->name, "x-gzip"));
      if (named) named_[static_cast<std::size_t>(coding)] = read->quality;
    }
  }
}

MetricsFormat choose_metrics_format(std::string_view accept) noexcept {
  int openmetrics = 0;
  int plain = 0;
  FieldScanner scanner(accept);
  for (scanner.skip_to_element(); !scanner.at_end(); scanner.skip_to_element()) {
    auto const range = read_media_range(scanner);
    if (!range) break;
    bool const version_known = range->version.empty() || range->version == "1.0.0" || range->version == "0.0.1";
    if (range->is("application", "openmetrics-text") && version_known)
      openmetrics = std::max(openmetrics, range->quality);
    if (range->is("text", "plain")) plain = std::max(plain, range->quality);
  }
  return openmetrics != 0 && openmetrics >= plain ? MetricsFormat::openmetrics : MetricsFormat::prometheus;
}

int AcceptedCodings::quality(Coding coding) const noexcept {
  auto const named = named_[static_cast<std::size_t>(coding)];
  return named != not_named ? named : others_;
}

void AcceptedCodings::choose(WantedForm& wanted) const noexcept {
  if (malformed_) return;
  auto best = Coding::identity;
  int best_quality = 0;
  for (auto const coding : all_codings) {
    if (coding == Coding::identity || quality(coding) <= best_quality) continue;
    best = coding;
    best_quality = quality(coding);
  }
  // If it is not named, identity is acceptable, but any coding that is named is preferred to it.
  auto const identity = quality(Coding::identity);
  if (best == Coding::identity || identity > best_quality) return;
  wanted.coding = best;
  wanted.identity_refused = identity == 0;
}

}  // namespace deployd::routing
