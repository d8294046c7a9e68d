/** Networks come and go on the machine while a test's browser asks for hundreds of things: not one of them is dropped. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { must } from '@kalnet/io/spawn'
import { describe, expect, it } from 'vitest'
import { openBrowser } from './browser.ts'
import { lacking } from './parts.ts'

const why = await lacking(['root', 'chromium', 'iproute'], "the machine's networks change under no test")

describe.skipIf(why)('a browser of tests', () => {
  it('drops nothing while networks come and go, and says that it is online', async () => {
    const server = createServer((_request, response) => {
      // A connection for each, for only those that are being made can be dropped.
      response.setHeader('connection', 'close')
      response.end('here')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const browser = await openBrowser()
    try {
      const { page } = browser
      await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
      expect(await page.evaluate(() => navigator.onLine)).toBe(true)
      const asking = page.evaluate(async () => {
        const found = { answered: 0, dropped: 0 }
        const stopped = new Promise<boolean>((resolve) =>
          Object.assign(window, { stop: () => resolve(true) }),
        )
        let over = false
        void stopped.then(() => {
          over = true
        })
        const ask = async () => {
          while (!over) {
            const key = (await fetch('/').catch(() => null)) ? 'answered' : 'dropped'
            found[key] += 1
          }
        }
        await Promise.all(Array.from({ length: 8 }, ask))
        return found
      })
      for (let round = 0; round < 10; round++) {
        const name = `kq${randomBytes(4).toString('hex')}`
        // TEST-NET-2 (RFC 5737): nobody's.
        await must('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}b`])
        await must('ip', ['addr', 'add', '198.51.100.201/32', 'dev', name])
        await must('ip', ['link', 'set', name, 'up'])
        await must('ip', ['link', 'del', name])
      }
      await page.evaluate(() => (window as unknown as { stop(): void }).stop())
      const { answered, dropped } = await asking
      expect(dropped).toBe(0)
      expect(answered).toBeGreaterThan(8)
    } finally {
      await browser.close()
      server.closeAllConnections()
      server.close()
    }
  })
})
