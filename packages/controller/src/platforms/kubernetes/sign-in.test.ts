/** Configurations that cannot be meant: each ends in one sentence that names what to change. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, describe, expect, test } from 'vitest'
import { settingsOf } from './settings.ts'
import { createSignIn } from './sign-in.ts'

const home = mkdtempSync(join(tmpdir(), 'kn-sign-in-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const whole = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    { name: 'one', cluster: { server: 'https://one.test:6443' } },
    { name: 'two', cluster: { server: 'https://two.test' } },
  ],
  users: [{ name: 'me', user: { token: 'abc' } }],
  contexts: [
    { name: 'first', context: { cluster: 'one', user: 'me' } },
    { name: 'second', context: { cluster: 'two', user: 'me' } },
    { name: 'nobody', context: { cluster: 'one', user: 'gone' } },
    { name: 'nowhere', context: { cluster: 'gone', user: 'me' } },
  ],
  'current-context': 'first',
}
const withUser = (user: object) => ({ ...whole, users: [{ name: 'me', user }] })
const plugin = (script: string) => ({
  apiVersion: 'client.authentication.k8s.io/v1',
  command: process.execPath,
  args: ['-e', script],
})
let count = 0
function written(content: unknown): string {
  count += 1
  const file = join(home, `config-${count}`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('[K8S-1.bad-input] signing in to a cluster', () => {
  test.each([
    [undefined, 'https://one.test:6443'],
    ['second', 'https://two.test'],
  ])('context %s', async (context, url) => {
    const access = await createSignIn({ kubeconfig: written(whole), context }).access()
    expect(access).toMatchObject({ url, headers: { Authorization: 'Bearer abc' } })
  })

  const keys = { 'client-certificate': '/nowhere/cert.pem', 'client-key': '/nowhere/key.pem' }
  test.each<[string, () => { kubeconfig?: string; context?: string }, RegExp]>([
    ['no file', () => ({ kubeconfig: join(home, 'none') }), /cannot be read \(ENOENT\)/],
    ['no YAML', () => ({ kubeconfig: written('{ "clusters": [') }), /cannot be understood/],
    ['no YAML of any kind', () => ({ kubeconfig: written('\t- : [x\0') }), /cannot be understood/],
    ['something else', () => ({ kubeconfig: written('hello') }), /has none at all/],
    ['nothing', () => ({ kubeconfig: written('') }), /cannot be understood/],
    ['lists that are none', () => ({ kubeconfig: written({ ...whole, contexts: 5 }) }), /has none at all/],
    [
      'no contexts',
      () => ({ kubeconfig: written({ ...whole, contexts: [] }) }),
      /no context first: it has none at all/,
    ],
    [
      'no word of which context',
      () => ({ kubeconfig: written({ ...whole, 'current-context': undefined }) }),
      /does not say which context is meant .*first, second/,
    ],
    [
      'a current context that is not there',
      () => ({ kubeconfig: written({ ...whole, 'current-context': 'gone' }) }),
      /no context gone: it has first, second/,
    ],
    ['a huge file', () => ({ kubeconfig: written('x'.repeat(2 ** 20 + 1)) }), /larger than one megabyte/],
    ['a folder', () => ({ kubeconfig: home }), /it is no file/],
    ['a device without end', () => ({ kubeconfig: '/dev/zero' }), /it is no file/],
    [
      'an authority that is not there',
      () => ({
        kubeconfig: written({
          ...whole,
          clusters: [
            { name: 'one', cluster: { server: 'https://one.test', 'certificate-authority': 'none.pem' } },
          ],
        }),
      }),
      /keys or certificates that cannot be read/,
    ],
    [
      'a file of a token that is not there',
      () => ({ kubeconfig: written(withUser({ tokenFile: 'nowhere' })) }),
      /The token in .*nowhere cannot be read \(ENOENT\)/,
    ],
    [
      'an empty file of a token',
      () => ({ kubeconfig: written(withUser({ tokenFile: written(' \n') })) }),
      /is empty/,
    ],
    [
      'a program that is not there',
      () => ({ kubeconfig: written(withUser({ exec: { command: 'kalnet-no-such-program' } })) }),
      /kalnet-no-such-program that the kubeconfig names is not on this machine/,
    ],
    [
      'a program that fails',
      () => ({
        kubeconfig: written(withUser({ exec: plugin('console.error("log in first"); process.exit(1)') })),
      }),
      /failed: log in first/,
    ],
    [
      'a program that says something else',
      () => ({ kubeconfig: written(withUser({ exec: plugin('console.log("{}")') })) }),
      /answered nothing that signs in/,
    ],
    [
      'a program without a name',
      () => ({ kubeconfig: written(withUser({ exec: { command: '' } })) }),
      /a program to sign in with that cannot be meant/,
    ],
    [
      'a context of nobody',
      () => ({ kubeconfig: written(whole), context: 'x'.repeat(253) }),
      /has no context x/,
    ],
    ['no such cluster', () => ({ kubeconfig: written(whole), context: 'nowhere' }), /names no cluster/],
    ['no such user', () => ({ kubeconfig: written(whole), context: 'nobody' }), /names no user/],
    [
      'an address that is none',
      () => ({ kubeconfig: written({ ...whole, clusters: [{ name: 'one', cluster: { server: 'here' } }] }) }),
      /names no cluster with an address/,
    ],
    [
      'an address without TLS',
      () => ({
        kubeconfig: written({
          ...whole,
          clusters: [{ name: 'one', cluster: { server: 'http://one.test' } }],
        }),
      }),
      /http:\/\/one\.test, which is without TLS/,
    ],
    [
      'keys that are not there',
      () => ({ kubeconfig: written({ ...whole, users: [{ name: 'me', user: keys }] }) }),
      /keys or certificates that cannot be read/,
    ],
    ['no pod of a cluster', () => ({}), /this is no pod of a cluster/],
  ])('%s', async (_, wanted, problem) => {
    await expect(createSignIn(wanted()).access()).rejects.toThrow(problem)
  })

  test('what was mended is read again', async () => {
    const file = written('{')
    const signIn = createSignIn({ kubeconfig: file })
    await expect(signIn.access()).rejects.toThrow(/cannot be understood/)
    writeFileSync(file, JSON.stringify(whole))
    expect((await signIn.access()).url).toBe('https://one.test:6443')
  })

  test('a token in a file is read at each call; one in the kubeconfig when the last was not taken', async () => {
    const file = written('one')
    const signIn = createSignIn({ kubeconfig: written(withUser({ tokenFile: file })) })
    expect((await signIn.access()).headers.Authorization).toBe('Bearer one')
    writeFileSync(file, 'two\n')
    expect((await signIn.access()).headers.Authorization).toBe('Bearer two')

    const kubeconfig = written(whole)
    const other = createSignIn({ kubeconfig })
    await other.access()
    writeFileSync(kubeconfig, JSON.stringify(withUser({ token: 'new' })))
    expect((await other.access()).headers.Authorization).toBe('Bearer abc')
    other.renew()
    expect((await other.access()).headers.Authorization).toBe('Bearer new')
  })

  test('a program that the kubeconfig names is asked once, and anew when what it said is over', async () => {
    const asked = written('')
    const script = (expires: string) => `
      const asked = require('node:fs').readFileSync(${JSON.stringify(asked)}, 'utf8').length + 1
      require('node:fs').writeFileSync(${JSON.stringify(asked)}, 'x'.repeat(asked))
      const { kind, apiVersion } = JSON.parse(process.env.KUBERNETES_EXEC_INFO)
      const status = { token: process.env.NAMED + asked, expirationTimestamp: ${JSON.stringify(expires)} }
      console.log(JSON.stringify({ kind, apiVersion, status }))`
    let now = Date.parse('2026-01-01T00:00:00Z')
    const clock = { ...systemClock, now: () => new Date(now) }
    const exec = { ...plugin(script('2026-01-01T01:00:00Z')), env: [{ name: 'NAMED', value: 'it-' }] }
    const signIn = createSignIn({ kubeconfig: written(withUser({ exec })) }, clock)
    const said = async () => (await signIn.access()).headers.Authorization
    expect(await Promise.all([said(), said()])).toEqual(['Bearer it-1', 'Bearer it-1'])
    now += 3_590_000
    expect(await Promise.all([said(), said()])).toEqual(['Bearer it-2', 'Bearer it-2'])
  })

  test.each<[object, RegExp]>([
    [{ registry: 'http://registry.test/x' }, /^kubernetes\.registry must be https/],
    [{ namespace: 'Not A Name' }, /^kubernetes\.namespace is not a name/],
    [{ volumeSize: '10' }, /^kubernetes\.volumeSize is a size/],
    [{ namespace: 'x'.repeat(64) }, /^kubernetes\.namespace is not a name/],
    [{ storageClass: 'x'.repeat(254) }, /^kubernetes\.storageClass is not a name/],
    [{ pullSecret: 'x'.repeat(254) }, /^kubernetes\.pullSecret is not a name/],
    [{ context: 'x'.repeat(254) }, /^kubernetes\.context Too big/],
  ])('settings %j', (config, problem) => {
    expect(() => settingsOf({ enabled: true, ...config }, {})).toThrow(problem)
  })

  test('[K8S-1.names] names as long as they may be are meant', async () => {
    const longest = 'x'.repeat(253)
    const its = { namespace: 'x'.repeat(63), storageClass: longest, pullSecret: longest, context: longest }
    expect(settingsOf({ enabled: true, ...its }, {})).toMatchObject(its)
    const contexts = [...whole.contexts, { name: longest, context: { cluster: 'two', user: 'me' } }]
    const signIn = createSignIn({ kubeconfig: written({ ...whole, contexts }), context: longest })
    expect((await signIn.access()).url).toBe('https://two.test')
  })

  test('a registry is an address with what stands before its names; who we are there comes from the environment', () => {
    const env = { KALNET_REGISTRY_USER: 'u', KALNET_REGISTRY_PASSWORD: 'p' }
    const { registry } = settingsOf({ enabled: true, registry: 'https://registry.test/a/b/' }, env)
    expect(registry).toEqual({
      url: 'https://registry.test',
      repositoryPrefix: 'a/b',
      credentials: { user: 'u', password: 'p' },
    })
  })
})
