/** Names for an order and texts of a certificate, judged where they are written. */
import { describe, expect, test } from 'vitest'
import { certificateProblem, keyProblem, namesOf, namesProblem } from './order-text.ts'

describe('[DSH-1.certificates] what is written', () => {
  test('names stand on lines, or with commas between them, each once', () => {
    expect(namesOf('Photos.example.org\nwiki.example.org, photos.example.org')).toEqual([
      'photos.example.org',
      'wiki.example.org',
    ])
  })
  test.each([
    ['photos.example.org', 'http-01', true],
    ['*.example.org', 'dns-01', true],
    ['*.example.org', 'http-01', false],
    ['', 'http-01', false],
    ['photos', 'http-01', false],
    ['https://photos.example.org', 'http-01', false],
  ] as const)('%j by %s', (text, challenge, fits) => {
    expect(namesProblem(text, challenge) === undefined).toBe(fits)
  })
  test('a certificate and a key are told apart', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----'
    const key = '-----BEGIN EC PRIVATE KEY-----\nAA\n-----END EC PRIVATE KEY-----'
    expect([certificateProblem(certificate), keyProblem(key)]).toEqual([undefined, undefined])
    expect(certificateProblem(key)).toBeDefined()
    expect(keyProblem(certificate)).toBeDefined()
  })
})
