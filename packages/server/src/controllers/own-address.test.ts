import { describe, expect, it } from 'vitest'
import { ownAddress } from './own-address.ts'

const own = ownAddress({
  listen: { host: '0.0.0.0', port: 7400 },
  tls: { enabled: true, names: ['kalnet.home.arpa'] },
  publicUrl: 'https://home.example.org',
})

describe('ownAddress', () => {
  it.each([
    ['https://127.0.0.1:7400', true],
    ['https://localhost:7400', true],
    ['https://[::1]:7400', true],
    ['https://kalnet.home.arpa:7400', true],
    ['https://home.example.org', true],
    ['https://home.example.org:7400', false],
    ['http://127.0.0.1:7400', false],
    ['https://127.0.0.1:7401', false],
    ['https://203.0.113.9:7400', false],
    ['https://evil.example:7400', false],
    ['nonsense', false],
  ])('[CTL-2.identity] %s is ours: %s', (url, expected) => {
    expect(own(url)).toBe(expected)
  })
})
