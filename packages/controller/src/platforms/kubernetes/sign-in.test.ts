/** Configurations that cannot be meant: each ends in one sentence that names what to change. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    ['something else', () => ({ kubeconfig: written('hello') }), /cannot be understood|names no cluster/],
    ['nothing', () => ({ kubeconfig: written('') }), /cannot be understood|names no cluster/],
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

  test.each<[object, RegExp]>([
    [{ registry: 'http://registry.test/x' }, /^kubernetes\.registry must be https/],
    [{ namespace: 'Not A Name' }, /^kubernetes\.namespace is not a name/],
    [{ volumeSize: '10' }, /^kubernetes\.volumeSize is a size/],
  ])('settings %j', (config, problem) => {
    expect(() => settingsOf({ enabled: true, ...config }, {})).toThrow(problem)
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
