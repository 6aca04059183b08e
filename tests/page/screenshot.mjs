// Takes the picture at the top of the README, with the demo data: node screenshot.mjs DEMO_DATA.ndjson FILE.png
import { readFileSync } from 'node:fs'

import { chromium } from 'playwright-core'

import { start } from './running_deployd.mjs'

const [demo, file] = process.argv.slice(2)
const server = await start({ input: readFileSync(demo) })
const browser = await chromium.launch({
  executablePath: process.env.DEPLOYD_CHROMIUM, args: process.getuid() === 0 ? ['--no-sandbox'] : []
})
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme: 'light' })
  // The picture shows the usual address, not the free port of this run.
  await page.route('http://127.0.0.1:8080/**', async route => {
    route.fulfill({ response: await route.fetch({ url: route.request().url().replace('http://127.0.0.1:8080', server.url) }) })
  })
  await page.goto('http://127.0.0.1:8080/#/deployments?pattern=CORE_DV_HLS')
  await page.getByLabel('Token', { exact: true }).fill(server.token)
  await page.getByRole('button', { name: 'Use this token' }).click()
  await page.getByText(/^\d+ patterns$/).waitFor()
  await page.locator('.rowset[aria-busy=false] tbody tr').first().waitFor()
  await page.mouse.move(640, 700)
  await page.screenshot({ path: file })
} finally {
  await browser.close()
  await server.stop()
}
