// A program as users write it with the types that openapi-typescript makes of /openapi.json.
import createClient from 'openapi-fetch'
import type { components, paths } from './api.js'

type Deployment = components['schemas']['Deployment']

const [baseUrl, token] = process.argv.slice(2) as [string, string]
// Lists have other formats too; without a type for `Accept` their data would be an array or text.
const client = createClient<paths, 'application/json'>({ baseUrl, headers: { Authorization: `Bearer ${token}` } })

const list = await client.GET('/api/v1/deployments', { params: { query: { pattern: 'CORE_DV_HLS', $limit: 10 } } })
if (list.error) throw new Error(list.error.message)
const names: (string | null)[] = list.data.map((deployment: Deployment) => deployment.name)

const one = await client.GET('/api/v1/deployments/{id}', { params: { path: { id: 1 } } })
const patterns = await client.GET('/api/v1/patterns', { params: { query: { 'id[$gt]': 1 } } })
const none = await client.GET('/api/v1/patterns/{id}', { params: { path: { id: 99 } } })
const ready = await client.GET('/readyz')

// Each of these must not compile.
// @ts-expect-error: there is no such parameter
void (() => client.GET('/api/v1/patterns', { params: { query: { pattern: 'X' } } }))
// @ts-expect-error: an id is a number
void (() => client.GET('/api/v1/deployments/{id}', { params: { path: { id: 'x' } } }))

console.log(JSON.stringify({
  names,
  one: one.data,
  patterns: patterns.data?.map(pattern => pattern.id),
  none: [none.response.status, none.error?.className],
  ready: ready.data?.status
}))
