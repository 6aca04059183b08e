// The description of the API at /openapi.json: linted, turned into a typed client, and compared with what is answered.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import Ajv from 'ajv/dist/2020.js'
import openapiTS, { astToString } from 'openapi-typescript'
import { start } from './running_deployd.mjs'

let server
let base
let document

before(async () => {
  server = await start()
  base = server.url
  document = await (await fetch(base + '/openapi.json')).json()
})
after(() => server.stop())

const ask = (target, init = {}) =>
  fetch(base + target, { ...init, headers: { Authorization: `Bearer ${server.token}`, ...init.headers } })

/** The object that a `$ref` of the document stands for. */
const resolve = thing =>
  thing.$ref ? thing.$ref.slice(2).split('/').reduce((from, name) => from[name], document) : thing

const ajv = new Ajv({ strict: false, allErrors: true, formats: { int64: true } })

/** Fails unless a response is what the document says of its status. */
async function conforms (path, response) {
  const described = document.paths[path].get.responses[response.status]
  assert.ok(described, `${response.url}: ${response.status} is not described`)
  const content = resolve(described).content?.['application/json']
  if (!content) return
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  const validate = ajv.compile({ ...content.schema, components: document.components })
  const body = await response.json()
  assert.ok(validate(body), `${response.url}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(body)}`)
}

test('a linter finds nothing', async () => {
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source: JSON.stringify(document), config, absoluteRef: 'openapi.json' })
  assert.deepEqual(problems.map(problem => `${problem.location[0]?.pointer}: ${problem.message}`), [])
})

test('it describes every route of the API, and needs no token', async () => {
  assert.deepEqual(Object.keys(document.paths), [
    '/api/v1/deployments', '/api/v1/deployments/{id}', '/api/v1/patterns', '/api/v1/patterns/{id}', '/healthz', '/readyz'
  ])
  const response = await fetch(base + '/openapi.json')
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  const again = await fetch(base + '/openapi.json', { headers: { 'If-None-Match': response.headers.get('etag') } })
  assert.equal(again.status, 304)
  assert.equal((await fetch(base + '/openapi.json', { method: 'HEAD' })).status, 200)
})

test('examples are what their schemas say', () => {
  for (const [path, { get }] of Object.entries(document.paths)) {
    for (const [status, response] of Object.entries(get.responses)) {
      const content = resolve(response).content?.['application/json']
      if (!content) continue
      const validate = ajv.compile({ ...content.schema, components: document.components })
      assert.ok(validate(content.example), `${path} ${status}: ${JSON.stringify(validate.errors)}`)
    }
  }
})

test('each format of a list is served as it is described', async () => {
  for (const [path, { get }] of Object.entries(document.paths)) {
    const { content } = get.responses[200]
    for (const [type, { schema, example }] of Object.entries(content)) {
      const response = await ask(path.replace('{id}', '1'), { headers: { Accept: type } })
      assert.equal(response.headers.get('content-type').split(';')[0], type)
      if (schema.type !== 'string') continue
      const text = await response.text()
      assert.equal(text.split('\n')[0].replace(/\d+|"name":".*"/g, ''), example.split('\n')[0].replace(/\d+|"name":".*"/g, ''))
    }
    const isList = get.responses[200].headers?.Link !== undefined
    assert.deepEqual(Object.keys(content),
      isList ? ['application/json', 'application/x-ndjson', 'text/csv'] : ['application/json'])
  }
})

const good = {
  integer: ['0', '1', '2', '-1', '9223372036854775807'],
  count: ['0', '1', '2', '9223372036854775807'],
  string: ['', 'CORE_DV_HLS', 'API', 'ü€', 'a b+c&d=ü', "'; DROP TABLE patterns; --"]
}
const bad = {
  integer: ['', 'x', '1.5', '1e3', '+1', ' 1', '9223372036854775808', '0x1'],
  count: ['', 'x', '-1', '-0', '1.5', '9223372036854775808'],
  string: []
}
const kind = schema => (schema.minimum === 0 ? 'count' : schema.type)

test('each parameter is tried with good and bad values, and every response is as described', async () => {
  for (const [path, { get }] of Object.entries(document.paths)) {
    for (const parameter of get.parameters ?? []) {
      const { name, schema } = parameter
      if (parameter.in === 'path') {
        for (const value of ['1', '2', '99', '-1', 'x', '01', '9223372036854775808', '%FF', 'a%2Fb'])
          await conforms(path, await ask(path.replace(`{${name}}`, value)))
        continue
      }
      const target = value => `${path}?${encodeURIComponent(name)}=${encodeURIComponent(value)}`
      for (const value of good[kind(schema)]) {
        const response = await ask(target(value))
        assert.ok([200, 404].includes(response.status), `${target(value)}: ${response.status}`)
        await conforms(path, response)
      }
      for (const value of bad[kind(schema)]) {
        const response = await ask(target(value))
        assert.equal(response.status, 400, target(value))
        await conforms(path, response)
      }
      await conforms(path, await ask(`${target('1')}&${encodeURIComponent(name)}=1`))
      await conforms(path, await ask(`${path}?${encodeURIComponent(name + 'x')}=1`))
    }
    await conforms(path, await ask(path.replace('{id}', '1')))
    await conforms(path, await ask(path.replace('{id}', '1'), { headers: { 'If-None-Match': '*' } }))
    await conforms(path, await ask(path.replace('{id}', '1'), { headers: { 'If-Match': '"x"' } }))
    if (get.security.length > 0) await conforms(path, await fetch(base + path.replace('{id}', '1')))
  }
})

test('a typed client that is generated from it compiles and runs', async () => {
  writeFileSync('api.ts', astToString(await openapiTS(document)))
  execFileSync('node_modules/.bin/tsc', ['--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom',
    '--skipLibCheck', 'client.ts', 'node.d.ts'], { stdio: ['ignore', 'inherit', 'inherit'] })
  const said = JSON.parse(execFileSync(process.execPath, ['client.js', base, server.token]).toString())
  assert.deepEqual(said, {
    names: ['API', 'Database'],
    one: { id: 1, pattern_id: 1, name: 'API' },
    patterns: [2, 3],
    none: [404, 'not-found'],
    ready: 'ready'
  })
})
