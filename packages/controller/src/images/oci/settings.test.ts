/** Addresses of registries, how they ask who we are, and what a cluster signs in with. */
import { expect, test } from 'vitest'
import { readChallenge, readToken, tokenAddress } from './challenge.ts'
import { pullSecretOf } from './pull-secret.ts'
import { hostOf, imageRegistry, pinned, repositoryOf } from './settings.ts'

test.each([
  ['https://registry.example.com', 'kalnet', true],
  ['https://registry.example.com:5000/', 'team/kalnet.house', true],
  ['http://127.0.0.1:5000', '', true],
  ['http://[::1]:5000', 'kalnet', true],
  ['http://localhost:5000', 'kalnet', true],
  ['http://registry.example.com', 'kalnet', false],
  ['http://127.0.0.1.example.com', 'kalnet', false],
  ['http://192.168.1.2:5000', 'kalnet', false],
  ['https://user:password@registry.example.com', 'kalnet', false],
  ['https://registry.example.com/v2', 'kalnet', false],
  ['https://registry.example.com/?x=1', 'kalnet', false],
  ['ftp://registry.example.com', 'kalnet', false],
  ['registry.example.com', 'kalnet', false],
  ['https://registry.example.com', '../kalnet', false],
  ['https://registry.example.com', 'Kalnet', false],
  ['https://registry.example.com', 'kalnet/', false],
])('[K8S-2.push-address] %s with %j is taken: %s', (url, repositoryPrefix, isTaken) => {
  expect(imageRegistry.safeParse({ url, repositoryPrefix }).success).toBe(isTaken)
})

test('what an image is called: by its sum, below what stands before the names', () => {
  const registry = imageRegistry.parse({ url: 'https://registry.example.com:443' })
  expect([hostOf(registry), repositoryOf(registry, 'terminal')]).toEqual([
    'registry.example.com',
    'kalnet/terminal',
  ])
  expect(pinned({ ...registry, repositoryPrefix: '' }, 'terminal', 'sha256:ab')).toBe(
    'registry.example.com/terminal@sha256:ab',
  )
})

test('[K8S-2.pull-secret] machines of a cluster sign in with the credentials that pushed; without any there is no secret', () => {
  const registry = { url: 'https://registry.example.com:5000', repositoryPrefix: 'kalnet' }
  expect(pullSecretOf(registry)).toBeNull()
  const secret = pullSecretOf({ ...registry, credentials: { user: 'käl', password: 'a:b' } })
  expect(secret?.type).toBe('kubernetes.io/dockerconfigjson')
  expect(JSON.parse(secret?.stringData['.dockerconfigjson'] ?? '')).toEqual({
    auths: {
      'registry.example.com:5000': { username: 'käl', password: 'a:b', auth: 'a8OkbDphOmI=' },
    },
  })
})

test.each([
  ['Basic realm="Registry"', { scheme: 'basic' }],
  ['Basic', { scheme: 'basic' }],
  [
    'Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull"',
    {
      scheme: 'bearer',
      realm: 'https://auth.example.com/token',
      service: 'registry.example.com',
      scope: 'repository:a/b:pull',
    },
  ],
  [
    'Basic realm="x", bearer realm=https://auth.example.com/token',
    { scheme: 'bearer', realm: 'https://auth.example.com/token', service: null, scope: null },
  ],
  ['Bearer realm="not an address"', null],
  ['Negotiate', null],
  ['', null],
  [`Bearer ${'realm="'.repeat(10_000)}`, null],
])('[K8S-2.push-challenge] %.60s', (header, expected) => {
  expect(readChallenge(header)).toEqual(expected)
})

test('a token is asked for by what it is for, and kept a little shorter than it is good', () => {
  const registry = new URL('https://registry.example.com')
  const bearer = {
    scheme: 'bearer' as const,
    realm: 'https://auth.example.com/token?x=1',
    service: 's',
    scope: 'a',
  }
  expect(tokenAddress(bearer, registry, ['a', 'b']).href).toBe(
    'https://auth.example.com/token?x=1&service=s&scope=a&scope=b',
  )
  const plain = { ...bearer, realm: 'http://auth.example.com/token' }
  expect(() => tokenAddress(plain, registry, [])).toThrow(/without encryption/)
  const read = (body: object | string) =>
    readToken(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), 'auth.example.com')
  expect(read({ access_token: 'abc', expires_in: 100 })).toEqual({ token: 'abc', goodMs: 80_000 })
  expect(read({ token: 'abc', expires_in: 1e9 }).goodMs).toBe(2_880_000)
  for (const wrong of ['<html>', {}, { token: '' }, { token: 'a\r\nx: y' }, { token: 5 }])
    expect(() => read(wrong)).toThrow(/no token in it/)
})
