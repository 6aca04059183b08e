#include "routing/openapi.hpp"

#include <boost/json.hpp>

#include <string_view>

#include "routing/http_error.hpp"
#include "routing/router.hpp"

namespace deployd::routing {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::string_view text =
    "The deployments of patterns, read-only.\n\n"
    "Lists are in ascending order of `id`. Read long ones page by page: ask with `$limit`, and follow the `Link` with "
    "`rel=\"next\"` of each response as long as there is one. Every response of known length has a strong `ETag`; send "
    "it as `If-None-Match` to get a 304 while nothing has changed.\n\n"
    "`Accept` selects the format of lists: JSON, lines of JSON (`application/x-ndjson`) or CSV (`text/csv`, RFC 4180, "
    "with a header line). Records and errors are JSON. `Accept-Encoding` selects the compression of bodies from 1 KiB "
    "on: `zstd`, `br` or `gzip`. Each form has an `ETag` of its own.";

object reference(std::string_view section, std::string_view name) {
  return {{"$ref", "#/components/" + std::string(section) + "/" + std::string(name)}};
}

object integer() {
  return {{"type", "integer"}, {"format", "int64"}};
}

object count() {
  auto schema = integer();
  schema["minimum"] = 0;
  return schema;
}

object nullable_text() {
  return {{"type", array{"string", "null"}}};
}

object schema_of(Parameter const& parameter) {
  if (parameter.type == ParameterType::text) return {{"type", "string"}};
  return parameter.name == "$limit" || parameter.name == "$skip" ? count() : integer();
}

value example_of(Parameter const& parameter) {
  if (parameter.type == ParameterType::integer) return parameter.name == "$limit" ? 100 : 1;
  return parameter.name == "pattern" ? "CORE_DV_HLS" : "views to Databricks DEV";
}

object described(Parameter const& parameter) {
  return {{"name", parameter.name},
          {"in", parameter.in == ParameterIn::path ? "path" : "query"},
          {"required", parameter.in == ParameterIn::path},
          {"description", parameter.description},
          {"schema", schema_of(parameter)},
          {"example", example_of(parameter)}};
}

object json_content(object schema, value example) {
  return {{"application/json", {{"schema", std::move(schema)}, {"example", std::move(example)}}}};
}

/// Returns an error response with an example as sent by the server.
object error_response(std::string_view description, HttpError const& error) {
  object response{{"description", description},
                  {"content", json_content(reference("schemas", "Error"), boost::json::parse(error_body(error)))}};
  object headers;
  if (error.status == 401)
    headers["WWW-Authenticate"] = {{"description", "`Bearer`, with `error=\"invalid_token\"` if a token was sent."},
                                   {"schema", {{"type", "string"}}}};
  if (error.retry_after)
    headers["Retry-After"] = {{"description", "Seconds after which to try again."}, {"schema", count()}};
  if (!headers.empty()) response["headers"] = std::move(headers);
  return response;
}

object responses() {
  object all;
  all["BadRequest"] =
      error_response("A parameter is unknown, repeated or has a value that it does not take. The message names it.",
                     bad_request("Query parameter 'pattern_id' must be a decimal 64-bit integer, not 'x'"));
  all["NotAuthenticated"] = error_response("There is no token, or it is not valid.", not_authenticated(true));
  all["UnknownPattern"] =
      error_response("There is no pattern with the name in `pattern`.", no_such_pattern("CORE_DV_HLS"));
  all["NoSuchRecord"] = error_response("There is no record with this id.", no_such_record("7"));
  all["PreconditionFailed"] = error_response("`If-Match` does not name the current ETag.", precondition_failed());
  all["TooManyRequests"] = error_response("The token has made more requests than it may (`--rate-limit`).",
                                          too_many_requests(std::chrono::seconds(1)));
  all["ServerError"] = error_response("The server failed. Its log has the reason under the `X-Request-Id`.",
                                      {500, "Internal server error"});
  all["Unavailable"] = error_response("The store is unavailable, or the server is overloaded or stopping.",
                                      unavailable("The store is not available"));
  all["NotModified"] = {{"description", "`If-None-Match` names the current ETag."},
                        {"headers", {{"ETag", reference("headers", "ETag")}, {"Vary", reference("headers", "Vary")}}}};
  return all;
}

object headers_of_record() {
  return {{"ETag", reference("headers", "ETag")},
          {"Vary", reference("headers", "Vary")},
          {"Content-Encoding", reference("headers", "Content-Encoding")}};
}

object headers_of_list() {
  auto headers = headers_of_record();
  headers["Link"] = reference("headers", "Link");
  return headers;
}

/// Returns the formats of a list of one record.
object contents_of_list(std::string const& record, object const& example) {
  auto contents = json_content({{"type", "array"}, {"items", reference("schemas", record)}}, array{example});
  contents["application/x-ndjson"] = {
      {"schema", {{"type", "string"}, {"description", "An object of the array on each line."}}},
      {"example", boost::json::serialize(example) + "\n"}};
  std::string header;
  std::string line;
  for (auto const& [name, value] : example) {
    auto const* const separator = header.empty() ? "" : ",";
    (header += separator) += name;
    (line += separator) += value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
  }
  contents["text/csv"] = {
      {"schema", {{"type", "string"}, {"description", "A line with the names of the columns, then one per record."}}},
      {"example", header + "\r\n" + line + "\r\n"}};
  return contents;
}

bool is_list(Route const& route) noexcept {
  return !route.path_template.ends_with('}');
}

/// Returns the operation of a route that needs a token.
object api_operation(Route const& route) {
  auto const record = std::string(route.record);
  object example = record == "Pattern" ? object{{"id", 1}, {"name", "CORE_DV_HLS"}}
                                       : object{{"id", 1}, {"pattern_id", 1}, {"name", "views to Databricks DEV"}};
  object good;
  if (is_list(route))
    good = {{"description", "The records, in ascending order of id."},
            {"headers", headers_of_list()},
            {"content", contents_of_list(record, example)}};
  else
    good = {{"description", "The record."},
            {"headers", headers_of_record()},
            {"content", json_content(reference("schemas", record), example)}};

  object answers{{"200", std::move(good)},
                 {"304", reference("responses", "NotModified")},
                 {"400", reference("responses", "BadRequest")},
                 {"401", reference("responses", "NotAuthenticated")},
                 {"412", reference("responses", "PreconditionFailed")},
                 {"429", reference("responses", "TooManyRequests")},
                 {"500", reference("responses", "ServerError")},
                 {"503", reference("responses", "Unavailable")}};
  if (!is_list(route)) answers["404"] = reference("responses", "NoSuchRecord");
  if (is_list(route) && record == "Deployment") answers["404"] = reference("responses", "UnknownPattern");
  array parameters;
  for (auto const& parameter : route.parameters) parameters.push_back(described(parameter));
  return {{"operationId", route.operation},      {"summary", route.summary},
          {"tags", array{record + "s"}},         {"security", array{object{{"bearer", array{}}}}},
          {"parameters", std::move(parameters)}, {"responses", std::move(answers)}};
}

/// Returns the operation of a route that reports the state of the server.
object state_operation(Route const& route) {
  object answers{
      {"200",
       {{"description", "Yes."}, {"content", json_content(reference("schemas", "State"), object{{"status", "ok"}})}}},
      {"304", reference("responses", "NotModified")},
      {"412", reference("responses", "PreconditionFailed")},
      {"500", reference("responses", "ServerError")},
      {"503", reference("responses", "Unavailable")}};
  return {{"operationId", route.operation},
          {"summary", route.summary},
          {"tags", array{"State"}},
          {"security", array{}},
          {"responses", std::move(answers)}};
}

object record_schema(bool deployment) {
  object properties{{"id", integer()}};
  array required{"id"};
  if (deployment) {
    properties["pattern_id"] = integer();
    required.push_back("pattern_id");
  }
  properties["name"] = nullable_text();
  required.push_back("name");
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", std::move(required)},
          {"properties", std::move(properties)}};
}

object schemas() {
  object const word{{"type", "string"}};
  return {{"Deployment", record_schema(true)},
          {"Pattern", record_schema(false)},
          {"State", {{"type", "object"}, {"required", array{"status"}}, {"properties", {{"status", word}}}}},
          {"Error",
           {{"type", "object"},
            {"description", "An error, in the form that Feathers clients turn into typed errors."},
            {"required", array{"name", "message", "code", "className"}},
            {"properties",
             {{"name", word},
              {"message", word},
              {"code", {{"type", "integer"}}},
              {"className", word},
              {"data", {{"type", "object"}, {"properties", {{"didYouMean", word}}}}}}}}}};
}

object headers() {
  return {{"Link",
           {{"description",
             "The next page, as a relative reference: `<...>; rel=\"next\"`. Only with `$limit`, while "
             "there is more."},
            {"schema", {{"type", "string"}}}}},
          {"ETag",
           {{"description", "A strong validator of the content in this form. Streamed lists have none."},
            {"schema", {{"type", "string"}}}}},
          {"Vary",
           {{"description", "The fields of the request by which the form was selected."},
            {"schema", {{"type", "string"}}}}},
          {"Content-Encoding",
           {{"description", "The compression, if the body is compressed."},
            {"schema", {{"type", "string"}, {"enum", array{"zstd", "br", "gzip"}}}}}}};
}

std::string make_document() {
  object paths;
  for (auto const& route : routes()) {
    if (route.operation.empty()) continue;
    auto const operation = route.record.empty() ? state_operation(route) : api_operation(route);
    paths[route.path_template] = object{{"get", operation}};
  }
  object const document{
      {"openapi", "3.1.1"},
      {"info",
       {{"title", "deployd"},
        {"version", DEPLOYD_VERSION},
        {"description", text},
        {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
      {"servers", array{object{{"url", "/"}, {"description", "This server."}}}},
      {"security", array{object{{"bearer", array{}}}}},
      {"tags", array{object{{"name", "Deployments"}, {"description", "Where build results of a pattern go."}},
                     object{{"name", "Patterns"}, {"description", "The patterns that have deployments (extension)."}},
                     object{{"name", "State"}, {"description", "The state of the server."}}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", schemas()},
        {"responses", responses()},
        {"headers", headers()},
        {"securitySchemes",
         {{"bearer",
           {{"type", "http"},
            {"scheme", "bearer"},
            {"description", "An API token (`deployd token create`) or a JWT of a configured key."}}}}}}}};
  return boost::json::serialize(document);
}

}  // namespace

std::string const& openapi_document() {
  static std::string const document = make_document();
  return document;
}

PreparedForms describe(CorsPolicy const& cors) {
  static auto const coded = code_text(openapi_document());
  return {{}, coded, cors};
}

}  // namespace deployd::routing
