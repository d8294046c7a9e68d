/** A guarded address in a real browser: to the sign-in page, in, back to where one wanted to, and out again. */
import { startProxied } from '@kalnet/server/testing/proxied'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lacking } from '../support/parts.ts'
import { type Household, startHousehold } from './household.ts'

const skip = await lacking(['chromium'], 'forward-auth in a real browser')

describe.skipIf(skip)('[IDN-2.forward] a guarded address in a browser', () => {
  let house: Household
  let proxied: Awaited<ReturnType<typeof startProxied>>
  beforeAll(async () => {
    house = await startHousehold()
    proxied = await startProxied(house.server.port)
    const { server, owner } = house
    const added = await server.ask('POST', '/api/forward-routes', {
      as: owner.secret,
      body: { name: 'Photos', host: proxied.host, allowed: { roles: ['owner'] } },
    })
    expect(added.status).toBe(200)
  })
  afterAll(async () => {
    proxied?.stop()
    await house?.end()
  })

  it('whoever is signed in passes without seeing more than a moment of us; after signing out the page asks again', async () => {
    const { server, owner } = house
    const { page } = await house.browser(owner.secret)
    await page.goto(`http://${proxied.host}/albums?year=1843`)
    await page.waitForURL(`http://${proxied.host}/albums?year=1843`)
    const seen = JSON.parse((await page.textContent('body')) ?? '{}') as { headers: Record<string, string> }
    expect(seen.headers['x-kalnet-user']).toBe(owner.userId)
    expect(seen.headers.cookie).toBeUndefined()
    await server.ask('POST', '/api/sign-out', { as: owner.secret, body: {} })
    await page.goto(`http://${proxied.host}/albums`)
    await page.waitForURL(`${server.origin}/enter**`)
    await page.getByLabel('E-mail').waitFor()
  })
  it('whoever may not is told so, in words', async () => {
    const { server, owner } = house
    const guest = await server.person('guest', owner.organisationId)
    const { page } = await house.browser(guest.secret)
    await page.goto(`http://${proxied.host}/`)
    await page.getByText('Photos is not open to you.').waitFor()
  })
})
