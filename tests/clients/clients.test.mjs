// The clients that people have: the original's own, fetch and curl, as its documentation shows them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

import { feathers } from '@feathersjs/feathers'
import rest from '@feathersjs/rest-client'

import { deployments, start } from './running_deployd.mjs'

let server

before(async () => { server = await start() })
after(async () => { assert.equal(await server.stop(), 0) })

/** The service of the original's client, with this token or none. */
function service (token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {}
  const app = feathers()
  app.configure(rest(server.url).fetch(fetch, { headers }))
  return app.service('api/v1/deployments')
}

/** What a call is rejected with, as far as clients look at it. */
async function rejection (call) {
  const { name, message, code, className } = await call.then(() => assert.fail('it was answered'), error => error)
  return { name, message, code, className }
}

describe('the Feathers client', () => {
  it('finds all deployments', async () => {
    assert.deepEqual(await service(server.token).find(), deployments)
  })

  it('finds those of a query, whatever characters it has', async () => {
    const ours = service(server.token)
    assert.deepEqual(await ours.find({ query: { pattern: 'CORE_DV_HLS' } }), deployments.slice(0, 2))
    assert.deepEqual(await ours.find({ query: { pattern: 'a b+c&d=ü' } }), deployments.slice(2))
    assert.deepEqual(await ours.find({ query: { pattern: 'EMPTY' } }), [])
    assert.deepEqual(await ours.find({ query: { pattern_id: 1, name: 'API' } }), deployments.slice(0, 1))
    assert.deepEqual(await ours.find({ query: { name: 'Git & "ü€"' } }), deployments.slice(2))
  })

  it('pages with $limit, $skip and id[$gt]', async () => {
    const ours = service(server.token)
    assert.deepEqual(await ours.find({ query: { $limit: 1, $skip: 1 } }), deployments.slice(1, 2))
    assert.deepEqual(await ours.find({ query: { id: { $gt: 1 } } }), deployments.slice(1))
    assert.deepEqual(await ours.find({ query: { $limit: 0 } }), [])
  })

  it('gets one deployment', async () => {
    assert.deepEqual(await service(server.token).get(1), deployments[0])
  })

  it('gets NotFound for what does not exist', async () => {
    const ours = service(server.token)
    assert.deepEqual(await rejection(ours.get(7)),
      { name: 'NotFound', message: "No record found for id '7'", code: 404, className: 'not-found' })
    assert.deepEqual(await rejection(ours.find({ query: { pattern: 'X' } })),
      { name: 'NotFound', message: "A pattern with the name 'X' does not exist!", code: 404, className: 'not-found' })
  })

  it('gets NotAuthenticated without a token and with a bad one', async () => {
    const want = { name: 'NotAuthenticated', message: 'Not authenticated', code: 401, className: 'not-authenticated' }
    assert.deepEqual(await rejection(service().find()), want)
    assert.deepEqual(await rejection(service('x').get(1)), want)
  })

  it('gets NotImplemented for what writes', async () => {
    const ours = service(server.token)
    const want = { name: 'NotImplemented', message: 'Not implemented', code: 501, className: 'not-implemented' }
    assert.deepEqual(await rejection(ours.create({ name: 'x' })), want)
    assert.deepEqual(await rejection(ours.update(1, { name: 'x' })), want)
    assert.deepEqual(await rejection(ours.patch(1, { name: 'x' })), want)
    assert.deepEqual(await rejection(ours.remove(1)), want)
    assert.deepEqual(await ours.get(1), deployments[0])
  })

  it('gets BadRequest for a query that is not understood', async () => {
    const ours = service(server.token)
    assert.deepEqual(await rejection(ours.find({ query: { foo: 1 } })),
      { name: 'BadRequest', message: "Query parameter 'foo' is unknown", code: 400, className: 'bad-request' })
    assert.equal((await rejection(ours.find({ query: { pattern_id: 'x' } }))).name, 'BadRequest')
  })

  it('goes on after every error on the connections that it keeps', async () => {
    const ours = service(server.token)
    for (let i = 0; i < 20; ++i) {
      await rejection(ours.create({ name: 'x'.repeat(1000) }))
      await rejection(ours.get(7))
      assert.deepEqual(await ours.get(2), deployments[1])
    }
  })
})

describe('fetch', () => {
  it('lists the deployments of a pattern, as documented', async () => {
    const response = await fetch(`${server.url}/api/v1/deployments?pattern=CORE_DV_HLS`,
      { headers: { Authorization: `Bearer ${server.token}` } })
    assert.equal(response.status, 200)
    assert.deepEqual(await response.json(), deployments.slice(0, 2))
  })

  it('gets one deployment, as documented', async () => {
    const response = await fetch(`${server.url}/api/v1/deployments/1`,
      { headers: { Authorization: `Bearer ${server.token}` } })
    assert.deepEqual(await response.json(), deployments[0])
  })

  it('is told with 304 that nothing has changed', async () => {
    const headers = { Authorization: `Bearer ${server.token}` }
    const first = await fetch(`${server.url}/api/v1/deployments`, { headers })
    const etag = first.headers.get('etag')
    await first.arrayBuffer()
    const again = await fetch(`${server.url}/api/v1/deployments`, { headers: { ...headers, 'If-None-Match': etag } })
    assert.equal(again.status, 304)
  })

  it('follows the Link to the next page', async () => {
    const headers = { Authorization: `Bearer ${server.token}` }
    let next = new URL('/api/v1/deployments?$limit=2', server.url)
    const all = []
    while (next) {
      const response = await fetch(next, { headers })
      all.push(...await response.json())
      const link = /<([^>]*)>; rel="next"/.exec(response.headers.get('link') ?? '')
      next = link && new URL(link[1], next)
    }
    assert.deepEqual(all, deployments)
  })
})

describe('curl', () => {
  const curl = async (...args) => (await promisify(execFile)('curl', ['--silent', '--show-error', ...args])).stdout

  it('lists the deployments of a pattern, as documented', async () => {
    const out = await curl('-X', 'GET', `${server.url}/api/v1/deployments?pattern=CORE_DV_HLS`,
      '-H', `Authorization: Bearer ${server.token}`)
    assert.deepEqual(JSON.parse(out), deployments.slice(0, 2))
  })

  it('gets one deployment, as documented', async () => {
    const out = await curl('-X', 'GET', `${server.url}/api/v1/deployments/1`,
      '-H', `Authorization: Bearer ${server.token}`)
    assert.equal(out, '{"id":1,"pattern_id":1,"name":"API"}')
  })

  it('encodes a query itself', async () => {
    const out = await curl('--get', '--data-urlencode', 'pattern=a b+c&d=ü', `${server.url}/api/v1/deployments`,
      '--oauth2-bearer', server.token)
    assert.deepEqual(JSON.parse(out), deployments.slice(2))
  })

  it('is refused a body, of known length or chunked', async () => {
    const post = (...more) => curl('--write-out', '%{http_code}', '--output', '/dev/null', '--data', '{"name":"x"}',
      `${server.url}/api/v1/deployments`, '-H', `Authorization: Bearer ${server.token}`, ...more)
    assert.equal(await post(), '501')
    assert.equal(await post('-H', 'Transfer-Encoding: chunked'), '501')
    assert.equal(await post('-H', 'Expect: 100-continue'), '501')
  })

  it('sees the fields of HEAD without waiting for a body', async () => {
    const out = await curl('--head', `${server.url}/api/v1/deployments`, '-H', `Authorization: Bearer ${server.token}`)
    assert.match(out, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(out, /\r\nETag: "[0-9a-f]{32}"\r\n/)
  })

  it('speaks HTTP/1.0', async () => {
    const out = await curl('--http1.0', `${server.url}/api/v1/deployments/1`, '-H', `Authorization: Bearer ${server.token}`)
    assert.equal(out, '{"id":1,"pattern_id":1,"name":"API"}')
  })
})

describe('over HTTPS', () => {
  let secure
  before(async () => { secure = await start({ https: true }) })
  after(async () => { assert.equal(await secure.stop(), 0) })

  const run = promisify(execFile)
  const curl = async (...args) => (await run('curl', ['--silent', '--show-error', ...args])).stdout
  const wanted = '{"id":1,"pattern_id":1,"name":"API"}'

  it('curl gets one deployment, by TLS 1.2 and 1.3, HTTP/1.1 and 1.0', async () => {
    for (const how of [['--tlsv1.3'], ['--tls-max', '1.2'], ['--http1.0'], ['--http2']]) {
      const out = await curl('--cacert', secure.certificate, ...how, `${secure.url}/api/v1/deployments/1`,
        '-H', `Authorization: Bearer ${secure.token}`)
      assert.equal(out, wanted)
    }
  })

  it('curl does not trust it without being told to', async () => {
    await assert.rejects(curl(`${secure.url}/healthz`), error => error.code === 60)
  })

  it('fetch and the Feathers client work as without', async () => {
    const script = `
      import { feathers } from '@feathersjs/feathers'
      import rest from '@feathersjs/rest-client'
      const [url, token] = process.argv.slice(1)
      const headers = { Authorization: 'Bearer ' + token }
      const app = feathers().configure(rest(url).fetch(fetch, { headers }))
      const found = await app.service('api/v1/deployments').find()
      const missing = await app.service('api/v1/deployments').get(7).catch(error => error.name)
      const one = await (await fetch(url + '/api/v1/deployments/1', { headers })).json()
      console.log(JSON.stringify([found, missing, one]))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script, secure.url, secure.token],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: secure.certificate } })
    assert.deepEqual(JSON.parse(stdout), [deployments, 'NotFound', deployments[0]])
  })

  it('Node resumes its session on a new connection', async () => {
    const agent = new Agent({ keepAlive: false, ca: readFileSync(secure.certificate), maxCachedSessions: 10 })
    const resumed = () => new Promise((resolve, reject) => {
      get(`${secure.url}/healthz`, { agent }, response => {
        const reused = response.socket.isSessionReused()
        response.resume().on('end', () => resolve(reused))
      }).on('error', reject)
    })
    assert.equal(await resumed(), false)
    assert.equal(await resumed(), true)
    assert.equal(await resumed(), true)
  })
})
