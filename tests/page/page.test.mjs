// The page at `/`, used in Chromium as people use it: by what they see, by keyboard, by screen reader.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { promisify } from 'node:util'

import axe from 'axe-core'
import { chromium } from 'playwright-core'

import { start } from './running_deployd.mjs'

const run = promisify(execFile)

/** More patterns than the page loads at once; one has several pages of deployments, one has none. */
function sampleData (patternCount) {
  const patterns = [{ id: 1, name: 'CORE_DV_HLS' }, { id: 2, name: 'EMPTY' }, { id: 3, name: "it's a+b & <ü>" }]
  while (patterns.length < patternCount) patterns.push({ id: patterns.length + 1, name: `MART_${patterns.length + 1}` })
  const deployments = Array.from({ length: 120 }, (_, i) => ({ id: i + 1, pattern_id: 1, name: `views to stage ${i + 1}` }))
  deployments.push({ id: 121, pattern_id: 3, name: '<b>bold</b> & "quoted"' }, { id: 9007199254740993n, pattern_id: 3, name: 'far away' })
  return JSON.stringify({ patterns, deployments }, (_, value) => typeof value === 'bigint' ? Number(value) : value)
    .replace('9007199254740992', '9007199254740993')
}

let server, browser, context, page
let faults

before(async () => {
  server = await start({ input: sampleData(1200) })
  const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : []
  browser = await chromium.launch({ executablePath: process.env.DEPLOYD_CHROMIUM, args: [...sandbox, '--disable-dev-shm-usage'] })
})
after(async () => {
  await browser?.close()
  assert.equal(await server.stop(), 0)
})

/** Opens the page in a new browser profile. Script errors, refused content and foreign requests are collected. */
async function open (options = {}, url = server.url) {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  page = await context.newPage()
  page.setDefaultTimeout(20_000)
  faults = []
  page.on('pageerror', error => faults.push(error.stack))
  page.on('console', message => { if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text()) })
  page.on('request', request => { if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(request.url()) })
  await page.goto(url)
}

async function signIn (token = server.token) {
  await page.getByLabel('Token', { exact: true }).fill(token)
  await page.getByRole('button', { name: 'Use this token' }).click()
}

/** Goes to an address of the page, as a link does. */
const visit = address => page.evaluate(address => { location.hash = address }, address)

const heading = name => page.getByRole('heading', { name, exact: true })
const patterns = () => page.getByRole('navigation', { name: 'Patterns' })
const search = () => page.getByRole('searchbox', { name: 'Patterns' })
const patternLink = name => patterns().locator(`a[title="${name}"]`)
const alert = () => page.getByRole('alert')
const rows = () => page.locator('tbody tr')
const firstId = async id => { await page.locator('tbody tr:first-child td:first-child', { hasText: new RegExp(`^${id}$`) }).waitFor() }
const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.id)

beforeEach(() => open())
afterEach(async () => {
  await context.close()
  assert.deepEqual(faults, [], 'the page has no script errors, breaks no policy and asks no other server')
})

describe('signing in', () => {
  it('keeps the token in sessionStorage, over a reload, until it is forgotten', async () => {
    await signIn()
    await heading('All deployments').waitFor()
    assert.deepEqual(await page.evaluate(() => [sessionStorage['deployd.token'], localStorage.length, document.cookie]), [server.token, 0, ''])
    await page.reload()
    await heading('All deployments').waitFor()
    await page.getByRole('button', { name: 'Forget token' }).click()
    await page.getByLabel('Token', { exact: true }).waitFor()
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
  })

  it('says where the token is kept, and hides what is typed', async () => {
    const field = page.getByLabel('Token', { exact: true })
    assert.match(await page.locator('#token-help').textContent(), /sessionStorage of this browser tab/)
    assert.equal(await field.getAttribute('type'), 'password')
    await page.getByRole('button', { name: 'Show' }).click()
    assert.equal(await field.getAttribute('type'), 'text')
  })

  it('takes a token with its scheme, quotes and line break', async () => {
    await signIn(`  Authorization: Bearer "${server.token}"\t`)
    await heading('All deployments').waitFor()
  })

  it('explains a token that the server does not accept, and goes back to the field', async () => {
    await signIn('dpd_wrong')
    await alert().getByText('The server does not accept this token').waitFor()
    assert.equal(await focused(), 'token')
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
  })

  it('says when a token has expired', async () => {
    const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
    await signIn(`${part({ alg: 'HS256' })}.${part({ sub: 'me', exp: 1_000_000_000 })}.AAAA`)
    await alert().getByText(/It expired on .*2001/).waitFor()
  })

  it('sends nothing that cannot be a token', async () => {
    let asked = 0
    page.on('request', () => ++asked)
    await signIn('two words')
    await alert().getByText('This is not a token').waitFor()
    await signIn('')
    await alert().getByText('There is no token yet').waitFor()
    assert.equal(asked, 0)
  })
})

describe('choosing a pattern', () => {
  beforeEach(async () => {
    await signIn()
    await page.getByText('The first 1,000 patterns').waitFor()
  })

  it('lists patterns without a name, and those that share one, and leads to the deployments of each', async () => {
    // As tables of another program can have them.
    const rows = [{ id: 1, name: null }, { id: 2, name: '' }, { id: 3, name: 'TWICE' }, { id: 4, name: 'TWICE' }]
    await page.route('**/api/v1/patterns?*', route => route.fulfill({ json: rows }))
    await page.reload()
    await page.getByText(/^4 patterns$/).waitFor()
    const addresses = await patterns().locator('a').evaluateAll(links => links.map(link => link.getAttribute('href')))
    assert.deepEqual(addresses, ['#/deployments', '#/deployments?pattern_id=1', '#/deployments?pattern=', '#/deployments?pattern=TWICE', '#/deployments?pattern_id=4'])
    await patternLink('Pattern 1').click()
    await heading('Pattern 1').waitFor()
    await firstId(1)
    assert.equal(await patterns().locator('a[aria-current]').textContent(), 'Pattern 1id 1')
    await patternLink('Pattern 2').click()
    await heading('Pattern with an empty name').waitFor()
    await alert().getByText('There is no pattern “”').waitFor()
  })

  it('filters what is loaded while typing, and says that this is not everything', async () => {
    await search().fill('mart_99')
    await page.getByText('11 matches in the first 1,000 patterns.').waitFor()
    assert.equal(await patterns().locator('a').count(), 12)
    await patternLink('MART_990').click()
    await heading('MART_990').waitFor()
  })

  it('finds an exact name and an id on the server', async () => {
    const field = search()
    await field.fill('MART_1150')
    await page.getByText('No match in the first 1,000 patterns.').waitFor()
    await field.press('Enter')
    await heading('MART_1150').waitFor()
    assert.equal(await patterns().locator('[aria-current]').getAttribute('title'), 'MART_1150')
    await field.fill('1111')
    await field.press('Enter')
    await heading('MART_1111').waitFor()
  })

  it('says that the server finds whole names only', async () => {
    const field = search()
    for (const wanted of ['MART_11500', '99999999']) {
      await field.fill(wanted)
      await field.press('Enter')
      await page.getByText(/No pattern has exactly the name .* finds whole names only/).waitFor()
    }
  })

  it('shows more, and loads the next thousand by key, until all are there', async () => {
    const more = page.getByRole('button', { name: 'Show more' })
    for (const shown of [200, 400, 600, 800]) {
      assert.equal(await patterns().locator('a').count(), shown + 1)
      await more.click()
    }
    assert.equal(await patterns().locator('a').count(), 1001)
    const asked = page.waitForRequest(request => request.url().includes('id[$gt]=1000&$limit=1000'))
    await more.click()
    await asked
    await page.getByText('1,200 patterns', { exact: true }).waitFor()
    assert.equal(await patterns().locator('a').count(), 1201)
    assert.equal(await more.isVisible(), false)
    await search().fill('no such')
    await page.getByText('No pattern contains “no such”.').waitFor()
  })
})

describe('deployments', () => {
  beforeEach(async () => {
    await signIn()
    await heading('All deployments').waitFor()
  })

  it('are shown page by page, forward and back by key', async () => {
    await patternLink('CORE_DV_HLS').click()
    await firstId(1)
    assert.equal(await rows().count(), 50)
    const next = page.getByRole('button', { name: 'Next' })
    await next.click()
    await firstId(51)
    assert.equal(await focused(), 'Next')
    await next.click()
    await firstId(101)
    await page.getByRole('group', { name: 'Pages' }).getByText('20 deployments, ids 101 to 120; these are the last').waitFor()
    assert.equal(await next.isDisabled(), true)
    await page.getByRole('button', { name: 'Previous' }).click()
    await firstId(51)
    await page.getByRole('button', { name: 'First' }).click()
    await firstId(1)
    await page.goBack()
    await firstId(51)
  })

  it('have an address that can be passed on', async () => {
    await visit('/deployments?pattern=CORE_DV_HLS&id[$gt]=100&$limit=10')
    await firstId(101)
    await page.reload()
    await firstId(101)
    assert.equal(await rows().count(), 10)
    assert.equal(await page.getByRole('button', { name: 'Previous' }).isDisabled(), true)
  })

  it('are shown as text, whatever characters they have', async () => {
    await visit(`/deployments?pattern=${encodeURIComponent("it's a+b & <ü>")}`)
    await firstId(121)
    assert.equal(await rows().nth(0).locator('td').nth(1).textContent(), '<b>bold</b> & "quoted"')
    assert.equal(await rows().nth(1).locator('td').nth(0).textContent(), '9007199254740993')
    assert.match(await page.locator('pre').last().textContent(), /"id": 9007199254740993,/)
  })

  it('can be filtered by their exact name', async () => {
    await page.getByLabel('Exact name').fill('views to stage 7')
    await page.getByRole('button', { name: 'Filter' }).click()
    await firstId(7)
    assert.equal(await rows().count(), 1)
    await page.getByLabel('Exact name').fill('views')
    await page.getByRole('button', { name: 'Filter' }).click()
    await heading('No deployment here has exactly the name “views”').waitFor()
    await page.getByRole('link', { name: 'Remove the filter' }).click()
    await firstId(1)
  })

  it('can be opened one by one', async () => {
    await rows().nth(4).getByRole('link', { name: '5', exact: true }).click()
    await heading('Deployment 5').waitFor()
    await page.getByRole('link', { name: 'CORE_DV_HLS' }).last().click()
    await heading('CORE_DV_HLS').waitFor()
  })
})

describe('the request to copy', () => {
  const environment = () => ({ ...process.env, TOKEN: server.token })

  for (const parameters of ['pattern=CORE_DV_HLS&$limit=10', "pattern=it's a%2Bb %26 <ü>&id[$gt]=121"]) {
    it(`works in a shell and in Node and never holds the token: ${parameters}`, async () => {
      await signIn()
      await visit(`/deployments?${parameters}`)
      await rows().first().waitFor()
      const shown = await rows().locator('td:nth-child(2)').allTextContents()
      const names = json => JSON.parse(json).map(row => row.name)
      const { stdout: byCurl } = await run('sh', ['-c', await page.locator('pre').first().textContent()], { env: environment() })
      assert.deepEqual(names(byCurl), shown)
      await page.getByRole('tab', { name: 'fetch' }).click()
      const script = (await page.locator('pre').first().textContent()).replace('console.log(', 'console.log(JSON.stringify(').replace(/\)$/, '))')
      const { stdout: byFetch } = await run(process.execPath, ['--input-type=module', '--eval', script], { env: environment() })
      assert.deepEqual(names(byFetch), shown)
      assert.equal((await page.content()).includes(server.token), false)
    })
  }

  it('is copied by a button', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await signIn()
    await page.getByRole('button', { name: 'Copy the request' }).click()
    await page.getByText('Copied', { exact: true }).waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    assert.equal(copied, `curl -H "Authorization: Bearer $TOKEN" \\\n  '${server.url}/api/v1/deployments?$limit=50'`)
    await page.getByRole('button', { name: 'Copy the response' }).click()
    await page.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith('['))
  })

  it('is copied without a clipboard for scripts too', async () => {
    await page.addInitScript(() => {
      delete Navigator.prototype.clipboard
      document.addEventListener('copy', () => { window.copied = getSelection().toString() })
    })
    await page.reload()
    await signIn()
    await page.getByRole('button', { name: 'Copy the request' }).click()
    await page.waitForFunction(() => window.copied?.startsWith('curl -H "Authorization: Bearer $TOKEN"'))
  })
})

describe('when something is wrong, the page says what to do', () => {
  beforeEach(async () => {
    await signIn()
    await rows().first().waitFor()
  })
  const list = '**/api/v1/deployments*'
  const fail = (status, message, headers = {}) => route => route.fulfill({
    status, headers, contentType: 'application/json', body: JSON.stringify({ name: 'X', message, code: status, className: 'x' })
  })

  it('401: the token has been revoked', async () => {
    const token = server.command('token', 'create', '--name', 'short').trim()
    const id = server.command('token', 'list').split('\n').find(line => line.includes('short')).trim().split(/\s+/)[0]
    await page.evaluate(token => { sessionStorage['deployd.token'] = token }, token)
    await page.reload()
    await rows().first().waitFor()
    server.command('token', 'revoke', id)
    const refused = alert().getByText('The server does not accept this token').first()
    for (let i = 0; i < 50 && !await refused.isVisible(); ++i) {
      const answered = page.waitForResponse('**/api/v1/deployments*')
      await visit(`/deployments?$limit=${i + 1}`)
      await answered
      await page.waitForFunction(() => document.querySelector('.rowset[aria-busy=false]'))
    }
    await page.getByRole('button', { name: 'Use another token' }).first().click()
    await page.getByLabel('Token', { exact: true }).waitFor()
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
  })

  it('503: the page waits as long as the server asks, tries again and goes on', async () => {
    let refusals = 0
    await page.route(list, route => {
      if (++refusals > 2) return route.continue()
      return fail(503, 'The store is not available', { 'Retry-After': '1' })(route)
    })
    await visit('/deployments?pattern=CORE_DV_HLS')
    await alert().getByText('The server asks to wait 1 second.').waitFor()
    await firstId(1)
    assert.equal(refusals, 3)
  })

  it('503: a button tries again at once', async () => {
    await page.route(list, fail(503, 'The store is overloaded', { 'Retry-After': '600' }))
    await visit('/deployments?pattern=CORE_DV_HLS')
    await alert().getByText('The store is overloaded. This is usually temporary.').waitFor()
    await page.unroute(list)
    await page.getByRole('button', { name: 'Try again' }).click()
    await firstId(1)
  })

  it('429: the page says when the next request is allowed', async () => {
    await page.route(list, fail(429, 'Too many requests', { 'Retry-After': '30' }))
    await visit('/deployments?pattern=CORE_DV_HLS')
    await alert().getByText('The next request is allowed in 30 seconds.').waitFor()
  })

  it('500: the page shows the id of the request', async () => {
    await page.route(list, fail(500, 'Internal server error', { 'X-Request-Id': 'abc123' }))
    await visit('/deployments?pattern=CORE_DV_HLS')
    await alert().getByText(/under the request id abc123/).waitFor()
  })

  it('404: there is no such pattern, no such deployment', async () => {
    await visit('/deployments?pattern=NOPE')
    await alert().getByText('There is no pattern “NOPE”').waitFor()
    await visit('/deployments/777')
    await alert().getByText('There is no deployment 777').waitFor()
  })

  it('400: the address of the page is wrong', async () => {
    await visit('/deployments?$limit=many')
    await alert().getByText('The server does not understand this request').waitFor()
  })

  it('no rows are no error', async () => {
    await visit('/deployments?pattern=EMPTY')
    await heading('This pattern has no deployments').waitFor()
    await visit('/deployments?pattern_id=4711')
    await heading('There are no deployments with the pattern id 4711').waitFor()
    await visit('/deployments?pattern=CORE_DV_HLS&id[$gt]=5000')
    await heading('There are no deployments after id 5000').waitFor()
    await page.getByRole('link', { name: 'First page' }).click()
    await firstId(1)
    assert.equal(await alert().count(), 0)
  })

  it('a response that is not from deployd', async () => {
    await page.route(list, route => route.fulfill({ contentType: 'text/html', body: '<h1>Welcome</h1>' }))
    await visit('/deployments?pattern=CORE_DV_HLS')
    await alert().getByText('The response cannot be read').waitFor()
  })

  it('the network is down', async () => {
    await context.setOffline(true)
    await visit('/deployments?pattern=CORE_DV_HLS')
    await alert().getByText('The server cannot be reached').waitFor()
    await context.setOffline(false)
    await page.getByRole('button', { name: 'Try again' }).click()
    await firstId(1)
  })
})

describe('the reference', () => {
  it('has every path of openapi.json with its parameters and responses', async () => {
    const document = await (await fetch(`${server.url}/openapi.json`)).json()
    await page.getByRole('link', { name: 'Reference', exact: true }).click()
    await page.getByRole('article').first().waitFor()
    for (const [path, item] of Object.entries(document.paths)) {
      const card = page.getByRole('article').filter({ has: page.locator('p > code', { hasText: new RegExp(`^${path.replace(/[{}/.]/g, '\\$&')}$`) }) }).first()
      const text = await card.textContent()
      for (const status of Object.keys(item.get.responses)) assert.ok(text.includes(status), `${path} has ${status}`)
      for (const parameter of item.get.parameters ?? []) if (parameter.name) assert.ok(text.includes(parameter.name), `${path} has ${parameter.name}`)
    }
    assert.equal(await page.getByText('undefined').count(), 0)
    assert.equal(await page.getByText('[object Object]').count(), 0)
  })

  it('sends requests', async () => {
    await signIn()
    await rows().first().waitFor()
    await page.getByRole('link', { name: 'Reference', exact: true }).click()
    const card = page.getByRole('article').filter({ has: page.locator('p > code', { hasText: /^\/api\/v1\/deployments\/\{id\}$/ }) }).first()
    await card.getByText('Try it').click()
    await card.getByRole('button', { name: 'Send' }).click()
    await card.getByText('id is missing').waitFor()
    await card.getByLabel('id', { exact: true }).fill('7')
    await card.getByRole('button', { name: 'Send' }).click()
    await card.getByText('"views to stage 7"').waitFor()
    assert.match(await card.locator('.tabs + div').textContent(), /deployments\/7'/)
  })
})

describe('the state of the server', () => {
  it('is shown: ready, not ready, gone', async () => {
    const state = page.locator('#state')
    await state.getByText('ready', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Server', exact: true }).click()
    await page.getByText('The store answers.').waitFor()
    await page.route('**/readyz', route => route.fulfill({
      status: 503, contentType: 'application/json', body: JSON.stringify({ message: 'The server is stopping' })
    }))
    await page.getByRole('button', { name: 'Check now' }).click()
    await state.getByText('not ready').waitFor()
    await page.getByText(/^The server is stopping\. Requests under/).waitFor()
    await page.route('**/readyz', route => route.abort())
    await page.getByRole('button', { name: 'Check now' }).click()
    await state.getByText('unreachable').waitFor()
  })
})

describe('for everybody', () => {
  it('everything is done with the keyboard', async () => {
    await page.locator('#token:focus').waitFor()
    await page.keyboard.type(server.token)
    await page.keyboard.press('Enter')
    await heading('All deployments').waitFor()
    await page.getByText('The first 1,000 patterns').waitFor()
    for (let i = 0; i < 12 && await focused() !== 'search'; ++i) await page.keyboard.press('Shift+Tab')
    await page.keyboard.type('hls')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    assert.equal(await page.evaluate(() => document.activeElement.title), 'CORE_DV_HLS')
    await page.keyboard.press('Enter')
    await heading('CORE_DV_HLS').waitFor()
    for (let i = 0; i < 80 && await focused() !== 'curl'; ++i) await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowRight')
    assert.equal(await focused(), 'fetch')
    assert.match(await page.getByRole('tabpanel').textContent(), /await fetch\(/)
  })

  it('a link leads past the navigation', async () => {
    await signIn()
    await rows().first().waitFor()
    await page.locator('#skip').focus()
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main')
  })

  it('changes are announced, and the title names what is shown', async () => {
    await signIn()
    await rows().first().waitFor()
    await visit('/deployments?pattern=CORE_DV_HLS')
    await page.locator('#live', { hasText: '50 deployments, ids 1 to 50; there are more' }).waitFor({ state: 'attached' })
    assert.equal(await page.title(), 'CORE_DV_HLS – deployd')
  })

  const views = {
    'sign in': async () => {},
    'a refused token': async () => { await signIn('wrong'); await alert().waitFor() },
    deployments: async () => { await signIn(); await visit('/deployments?pattern=CORE_DV_HLS'); await firstId(1) },
    'an error': async () => { await signIn(); await visit('/deployments?pattern=NOPE'); await alert().waitFor() },
    reference: async () => {
      await visit('/reference')
      await page.getByRole('article').first().waitFor()
      await page.evaluate(() => document.querySelectorAll('article:first-of-type details').forEach(each => { each.open = true }))
    },
    server: async () => { await visit('/server'); await page.getByText('The store answers.').waitFor() }
  }

  describe('axe finds nothing', () => {
    let small
    before(async () => { small = await start({ input: sampleData(20) }) })
    after(() => small.stop())

    for (const colorScheme of ['light', 'dark']) {
      for (const [name, width] of [['a desktop', 1280], ['a phone', 360]]) {
        it(`in the ${colorScheme} theme on ${name}`, async () => {
          for (const [view, show] of Object.entries(views)) {
            await context.close()
            await open({ colorScheme, viewport: { width, height: 800 } }, small.url)
            const token = server.token
            server.token = small.token
            await show().finally(() => { server.token = token })
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view}: nothing is wider than the window`)
            await page.evaluate(axe.source)
            const { violations } = await page.evaluate(() => window.axe.run())
            assert.deepEqual(violations.map(({ id, nodes }) => ({ view, id, nodes: nodes.map(node => node.html) })), [])
          }
        })
      }
    }
  })

  it('a phone shows the patterns or the deployments, not both', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await signIn()
    await patternLink('CORE_DV_HLS').click()
    await firstId(1)
    assert.equal(await patterns().isVisible(), false)
    assert.equal(await focused(), 'CORE_DV_HLS')
    await page.getByRole('link', { name: '‹ All patterns' }).click()
    await patterns().waitFor()
    assert.equal(await rows().first().isVisible(), false)
  })
})
