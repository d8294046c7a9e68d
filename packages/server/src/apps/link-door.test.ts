/** What of us an app's instance reaches by its link: the addresses of the protocol, under our own name, and nothing of the API. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { createSignInDoor, isOpen } from './link-door.ts'

test.each([
  ['GET', '/oidc/.well-known/openid-configuration', true],
  ['GET', '/oidc/jwks', true],
  ['POST', '/oidc/token', true],
  ['GET', '/oidc/me?x=1', true],
  ['GET', '/oidc/token', false],
  ['GET', '/oidc/auth', false],
  ['POST', '/oidc/token/revocation', false],
  ['POST', '/api/sign-in', false],
  ['GET', '/oidc/../api/services', false],
  ['GET', '//oidc/jwks', false],
  ['GET', '/', false],
  ['CONNECT', 'kalnet:7400', false],
])('[IDN-1.link-door] %s %s: %s', (method, path, expected) => {
  expect(isOpen(method, path)).toBe(expected)
})

test('[IDN-1.link-door] a call by the link counts as one of our own host; the API is not there', async () => {
  const plane = createServer((call, answer) =>
    answer.end(`${call.method} ${call.url} at ${call.headers.host}`),
  )
  const own = {
    hosts: () => [],
    request: (call: IncomingMessage, answer: ServerResponse) => void plane.emit('request', call, answer),
    upgrade: () => undefined,
  }
  const door = createSignInDoor({ own, address: () => 'https://kalnet.example:7443/' })
  const ask = async (path: string) => {
    const stream: Duplex = await door.dial(AbortSignal.timeout(30_000))
    return new Promise<string>((resolve, reject) => {
      const call = request(
        { path, headers: { host: 'sign-in:7400' }, createConnection: () => stream },
        (answer) => {
          let text = `${answer.statusCode} `
          answer.on('data', (chunk: Buffer) => {
            text += chunk.toString()
          })
          answer.on('end', () => resolve(text))
        },
      )
      call.on('error', reject)
      call.end()
    })
  }
  try {
    expect(await ask('/oidc/jwks')).toBe('200 GET /oidc/jwks at kalnet.example:7443')
    expect(await ask('/api/services')).toBe('404 ')
  } finally {
    door.close()
  }
})
