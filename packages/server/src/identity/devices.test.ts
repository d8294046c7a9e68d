/** Devices and proving oneself again: what is listed, what ends, and which secret is dead afterwards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeOf, createDoor, type DoorOfTest, movingClock, secretOf } from '../testing/door.ts'
import { type TestServer, testServer } from '../testing/server.ts'
import { deviceWords } from './device-words.ts'

const clock = movingClock()
let server: TestServer
let door: DoorOfTest
beforeAll(async () => {
  server = await testServer({ clock })
  door = createDoor(server, clock)
})
afterAll(() => server.end())
interface Listed {
  id: string
  device: string
  current: boolean
  method: string
  address: string
}
const listed = async (as: string) =>
  (await door.ask('GET', '/api/sign-ins', as)).body.items as unknown as Listed[]
const alive = async (...secrets: string[]) =>
  Promise.all(secrets.map(async (it) => (await door.ask('GET', '/api/me', it)).status === 200))

describe('[IDN-1.devices] where I am signed in', () => {
  it('lists my own, in words, with the one that asks marked', async () => {
    const [ada, bob] = [await door.person(), await door.person()]
    const [here, there] = [await door.in(ada), await door.in(ada)]
    await door.in(bob)
    const items = await listed(here)
    // The one of `person` came first, from no browser at all.
    expect(items.length).toBe(3)
    expect(items.filter((it) => it.current).length).toBe(1)
    expect(items.find((it) => it.current)).toMatchObject({
      device: 'Firefox on Linux',
      method: 'password',
      address: '127.0.0.1',
    })
    expect((await listed(there)).find((it) => it.current)?.id).not.toBe(items.find((it) => it.current)?.id)
  })
  it('one of mine ends at once; that of another is not there', async () => {
    const [ada, bob] = [await door.person(), await door.person('owner')]
    const [here, there, ofBob] = [await door.in(ada), await door.in(ada), await door.in(bob)]
    const idOf = async (as: string) => (await listed(as)).find((it) => it.current)?.id ?? ''
    const foreign = await door.ask('DELETE', `/api/sign-ins/${await idOf(ofBob)}`, here)
    expect(codeOf(foreign)).toBe('thing.unknown')
    expect((await door.ask('DELETE', `/api/sign-ins/${await idOf(there)}`, here)).status).toBe(200)
    expect(await alive(here, there, ofBob)).toEqual([true, false, true])
    const own = await door.ask('DELETE', `/api/sign-ins/${await idOf(here)}`, here)
    expect(own.headers['set-cookie']?.[0]).toMatch(/^kalnet=; Max-Age=0/)
  })
  it('ending one, the others or all takes a proof that is at most ten minutes old; leaving here takes none', async () => {
    const ada = await door.person()
    const [here, there] = [await door.in(ada), await door.in(ada)]
    const other = (await listed(here)).find((it) => !it.current)?.id
    clock.move(11 * 60_000)
    for (const [method, path] of [
      ['DELETE', `/api/sign-ins/${other}`],
      ['POST', '/api/sign-ins/end-others'],
      ['POST', '/api/sign-ins/end-all'],
    ] as const)
      expect(codeOf(await door.ask(method, path, here))).toBe('step-up.required')
    expect(await alive(here, there)).toEqual([true, true])
    const proof = { method: 'password', password: ada.password }
    const fresh = secretOf(await door.ask('POST', '/api/sign-in/step-up', here, { proof }))
    expect((await door.ask('POST', '/api/sign-ins/end-others', fresh)).status).toBe(200)
    expect(await alive(fresh, there)).toEqual([true, false])
    clock.move(11 * 60_000)
    expect((await door.ask('POST', '/api/sign-out', fresh)).status).toBe(200)
  })
  it('all the others end, then all', async () => {
    const ada = await door.person()
    const [here, there, away] = [await door.in(ada), await door.in(ada), await door.in(ada)]
    expect((await door.ask('POST', '/api/sign-ins/end-others', here)).status).toBe(200)
    expect(await alive(here, there, away)).toEqual([true, false, false])
    expect((await door.ask('POST', '/api/sign-ins/end-all', here)).status).toBe(200)
    expect(await alive(here)).toEqual([false])
  })
})

describe('[IDN-1.step-up] proving oneself once more', () => {
  const prove = (as: string, proof: object) => door.ask('POST', '/api/sign-in/step-up', as, { proof })
  it('renews the secret of the same sign-in; the old one is dead', async () => {
    const ada = await door.person()
    const here = await door.in(ada)
    const before = (await listed(here)).find((it) => it.current)?.id
    const answer = await prove(here, { method: 'password', password: ada.password })
    expect(Date.parse(String(answer.body.until))).toBeGreaterThan(clock.now().getTime() + 9 * 60_000)
    const fresh = secretOf(answer)
    expect(await alive(here, fresh)).toEqual([false, true])
    expect((await listed(fresh)).find((it) => it.current)?.id).toBe(before)
  })
  it('lasts ten minutes', async () => {
    const ada = await door.person()
    const here = await door.in(ada)
    clock.move(11 * 60_000)
    expect(codeOf(await door.ask('POST', '/api/factors/totp', here))).toBe('step-up.required')
    const fresh = secretOf(await prove(here, { method: 'password', password: ada.password }))
    expect((await door.ask('POST', '/api/factors/totp', fresh)).status).toBe(200)
    clock.move(11 * 60_000)
    expect(codeOf(await door.ask('POST', '/api/factors/totp', fresh))).toBe('step-up.required')
  })
  it('by password, by a code, by a passkey; wrong ones change nothing and are slowed down', async () => {
    const ada = await door.person()
    const totp = await door.addTotp(await door.in(ada))
    const both = await door.addPasskey(totp.as)
    const options = await door.ask('POST', '/api/sign-in/step-up/options', both.as)
    expect(options.body.methods).toEqual(['password', 'passkey', 'totp'])
    expect(codeOf(await prove(both.as, { method: 'totp', code: '000000' }))).toBe('step-up.wrong')
    const byCode = secretOf(await prove(both.as, { method: 'totp', code: door.code(totp.secret) }))
    expect(codeOf(await prove(byCode, { method: 'totp', code: door.code(totp.secret) }))).toBe(
      'step-up.wrong',
    )
    const again = await door.ask('POST', '/api/sign-in/step-up/options', byCode)
    const { options: asked } = again.body.passkey as { options: object }
    const byKey = secretOf(await prove(byCode, { method: 'passkey', response: both.key.get(asked) }))
    const seen: string[] = []
    for (let turn = 0; turn < 7; turn += 1)
      seen.push(codeOf(await prove(byKey, { method: 'password', password: 'no' })))
    expect(seen[0]).toBe('step-up.wrong')
    expect(seen.at(-1)).toBe('sign-in.throttled')
    expect(await alive(byKey)).toEqual([true])
  })
  it('one who has neither password nor factor is told to sign in again', async () => {
    const { secret } = await server.person('member')
    const options = await door.ask('POST', '/api/sign-in/step-up/options', secret)
    expect(options.body).toEqual({ methods: [], passkey: null })
    expect(codeOf(await prove(secret, { method: 'password', password: '' }))).toBe('step-up.wrong')
  })
})

describe('devices in words', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15',
      'Safari on a Mac',
    ],
    ['curl/8.0', 'curl'],
    ['', 'An unknown device'],
    ['<script>alert(1)</script>', 'An unknown device'],
  ])('%s', (userAgent, words) => {
    expect(deviceWords(userAgent)).toBe(words)
  })
})
