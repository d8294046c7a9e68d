/** Passkeys as a real browser makes them: Chromium with its own virtual authenticator, at this machine's name. */
import { createDoor, movingClock, secretOf } from '@kalnet/server/testing/door'
import { type TestServer, testServer } from '@kalnet/server/testing/server'
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from './support/browser.ts'
import { lacking } from './support/parts.ts'

const missing = await lacking(['chromium'], 'passkeys in a real browser')

/** In the page: what the dashboard does. */
const create = (page: Page, options: unknown) =>
  page.evaluate(async (given) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
      given as PublicKeyCredentialCreationOptionsJSON,
    )
    const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential
    return made.toJSON() as object
  }, options)
const get = (page: Page, options: unknown) =>
  page.evaluate(async (given) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
      given as PublicKeyCredentialRequestOptionsJSON,
    )
    const shown = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential
    return shown.toJSON() as object
  }, options)

describe.skipIf(missing)('[IDN-1.passkey] in Chromium', () => {
  const clock = movingClock()
  let server: TestServer
  let browser: Awaited<ReturnType<typeof openBrowser>>
  let devtools: CDPSession
  let authenticatorId = ''
  beforeAll(async () => {
    server = await testServer({ clock })
    browser = await openBrowser()
    devtools = await browser.context.newCDPSession(browser.page)
    await devtools.send('WebAuthn.enable')
    const added = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    authenticatorId = added.authenticatorId
  })
  afterAll(async () => {
    await browser.close()
    await server.end()
  })

  it('is made, signs in without a name, is asked as second factor, and not without the finger', async () => {
    const door = createDoor(server, clock)
    const { page } = browser
    await page.goto(`${door.origin}/api/status`)
    const person = await door.person()
    const as = await door.in(person)
    const { body } = await door.ask('POST', '/api/passkeys/options', as)
    const response = await create(page, body.options)
    const added = await door.ask('POST', '/api/passkeys', as, { name: 'This computer', response })
    expect(added.body.passkey).toMatchObject({ name: 'This computer' })

    const asked = (await door.ask('POST', '/api/sign-in/passkey/options')).body
    const shown = await get(page, asked.options)
    const inside = await door.ask('POST', '/api/sign-in/passkey', undefined, { response: shown })
    expect(inside.body).toMatchObject({ state: 'signed-in', me: { id: person.userId } })
    expect((await door.ask('GET', '/api/factors', secretOf(inside))).body).toMatchObject({ proved: 2 })

    const attempt = door.attemptOf(await door.signIn(person))
    const second = (await door.ask('POST', '/api/sign-in/second-factor/passkey', undefined, { attempt })).body
    const proof = { method: 'passkey', response: await get(page, second.options) }
    expect((await door.secondFactor(attempt, proof)).body.state).toBe('signed-in')

    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    const again = (await door.ask('POST', '/api/sign-in/passkey/options')).body
    await expect(get(page, again.options)).rejects.toThrow(/NotAllowedError|not allowed/)
  })
})
