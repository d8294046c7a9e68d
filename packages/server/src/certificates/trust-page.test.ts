/** The code on the page of trust leads another device here, or there is none. */
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { trustPage } from './trust-page.ts'

const asked = (host: string | undefined) => ({ headers: { host }, socket: {} }) as unknown as IncomingMessage

describe('[NET-4.authority] the page of trust for another device', () => {
  it.each([
    ['as it was asked', 'larch.home.arpa:7443', undefined, 'http://larch.home.arpa:7443/trust'],
    ['by the public address', '10.0.0.7:7443', 'https://home.example.org', 'https://home.example.org/trust'],
    ['not this machine itself', 'localhost:7400', undefined, null],
    ['nor its loopback', '127.0.0.1:7400', undefined, null],
    ['nor a name below localhost', 'kalnet.localhost', undefined, null],
    ['no host at all', undefined, undefined, null],
    ['a host that is none', 'a b', undefined, null],
  ])('%s', (_, host, publicUrl, url) => {
    const page = trustPage(asked(host), publicUrl)
    expect(page?.url ?? null).toBe(url)
    if (page) expect(page.code.rows).toHaveLength(page.code.size)
  })
})
