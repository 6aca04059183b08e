# Writes the demo data, patterns of a data warehouse and their deployments, as NDJSON for `deployd import`:
#
#   awk -f make_demo_data.awk
#
# The rows are always the same, so that readers of the README get the responses shown there.

BEGIN {
  layers = split("STAGE CORE MART", layer, " ")
  kinds["STAGE"] = split("FILE API CDC JSON XML", kind_of_stage, " ")
  kinds["CORE"] = split("DV_HUB DV_LNK DV_SAT DV_HLS DV_PIT DV_BRIDGE DV_REF", kind_of_core, " ")
  kinds["MART"] = split("DIM_SCD1 DIM_SCD2 FACT SNAPSHOT AGGREGATE", kind_of_mart, " ")
  subjects = split("CUSTOMER PRODUCT ORDER INVOICE PAYMENT SHIPMENT SUPPLIER CONTRACT EMPLOYEE STORE CAMPAIGN TICKET " \
    "ASSET LEDGER BUDGET FORECAST RETURN PRICE REGION CURRENCY", subject, " ")
  targets = split("Snowflake,SQL Server,PostgreSQL,Oracle,BigQuery,Databricks,Git,REST API", target, ",")
  stages = split("DEV TEST UAT PROD", stage, " ")
  scopes = split("DDL,load procedures,views,documentation,orchestration", scope, ",")

  # The patterns themselves, then one for each pattern and subject.
  for (l = 1; l <= layers; l++) for (k = 1; k <= kinds[layer[l]]; k++) add_pattern(layer[l] "_" kind(layer[l], k))
  for (l = 1; l <= layers; l++)
    for (k = 1; k <= kinds[layer[l]]; k++)
      for (s = 1; s <= subjects; s++) add_pattern(layer[l] "_" kind(layer[l], k) "_" subject[s])

  for (p = 1; p <= patterns; p++) {
    count = 3 + (p * 7) % 12
    for (d = 1; d <= count; d++) add_deployment(p, d)
  }
}

function kind(of_layer, k) {
  return of_layer == "STAGE" ? kind_of_stage[k] : of_layer == "CORE" ? kind_of_core[k] : kind_of_mart[k]
}

function add_pattern(name) {
  printf "{\"pattern\":{\"id\":%d,\"name\":\"%s\"}}\n", ++patterns, name
}

# The names within one pattern differ: d runs through stages first, then targets, then scopes.
function add_deployment(p, d,    t) {
  t = (p * 5 + int((d - 1) / stages)) % targets + 1
  printf "{\"deployment\":{\"id\":%d,\"pattern_id\":%d,\"name\":\"%s to %s %s\"}}\n", ++deployments, p,
    scope[(p + d) % scopes + 1], target[t], stage[(d - 1) % stages + 1]
}
