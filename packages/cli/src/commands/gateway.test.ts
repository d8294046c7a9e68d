/** `kalnet gateway` before it asks anybody: where the control plane may be, and where its key may stand. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, NO_HOME, type TemporaryHome, temporaryHome } from '../testing.ts'
import { controlPlaneUrls } from './gateway.ts'

let it_: TemporaryHome = NO_HOME
beforeAll(async () => {
  it_ = await temporaryHome()
  await writeFile(join(it_.home, 'key'), 'not a key')
})
afterAll(() => it_.remove())

describe('[MSH-6.refused] the control plane of a gateway', () => {
  it.each([
    ['https', ['https://kalnet.home.arpa:7400']],
    ['plain http on this machine', ['http://127.0.0.1:7400', 'http://localhost:7400', 'http://[::1]:7400']],
    ['several', ['https://one:7400', 'https://two:7400']],
  ])('may be %s', (_, urls) => {
    expect(controlPlaneUrls(urls).map((url) => url.origin)).toEqual(urls)
  })
  it.each([
    ['none', [], /which control plane/],
    ['plain http elsewhere', ['http://192.168.1.5:7400'], /in the clear/],
    ['plain http by a name', ['http://kalnet.home.arpa:7400'], /in the clear/],
    ['a name that only begins like this machine', ['http://127.evil.example:7400'], /in the clear/],
    ['one good and one not', ['https://one:7400', 'http://two:7400'], /in the clear/],
    ['another protocol', ['ftp://one'], /not an address/],
    ['no address', ['one'], /not an address/],
  ])('may not be %s', (_, urls, words) => {
    expect(() => controlPlaneUrls(urls)).toThrow(words)
  })
})

describe('[MSH-6.refused] the key of a gateway', () => {
  const run = (...args: string[]) => cli(it_.home, 'gateway', '--join', 'http://127.0.0.1:1', ...args)
  it.each([
    ['nowhere', [], /needs a service key/],
    ['in a file that is not there', ['--key-file', '/nowhere/key'], /There is no file/],
    ['on the command line', ['--key', 'kal_secret'], /Unknown option/],
  ])('%s: exit code 2', async (_, args, words) => {
    const { code, err } = await run(...args)
    expect([code, err]).toEqual([2, expect.stringMatching(words)])
    expect(err).not.toContain('kal_secret')
  })
  it('that is none is not sent anywhere', async () => {
    const { code, err } = await run('--key-file', join(it_.home, 'key'))
    expect([code, err]).toEqual([2, expect.stringMatching(/not a service key/)])
    expect(err).not.toContain('not a key')
  })
  it('its help has examples and exit codes', async () => {
    const { code, out, err } = await cli(it_.home, 'gateway', '--help')
    expect(code).toBe(0)
    for (const words of ['--key-file', 'KALNET_GATEWAY_KEY', 'Examples:', 'Exit codes:'])
      expect(out + err).toContain(words)
  })
})
