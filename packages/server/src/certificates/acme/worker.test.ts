/** When orders are worked on next: renewal, back-off, and what the authority's words become. */
import { OutboundError } from '@kalnet/io/outbound'
import { describe, expect, it } from 'vitest'
import { AuthorityRefusal, createClient, within } from './transport.ts'
import { pauseAfter, renewalOf } from './worker.ts'

const at = (day: number) => new Date(Date.UTC(2026, 0, day))
const facts = (from: number, to: number) => ({
  notBefore: at(from).toISOString(),
  notAfter: at(to).toISOString(),
})

describe('[NET-4.acme-renewal] when', () => {
  it.each([
    ['ninety days', facts(1, 91), at(1), at(61).toISOString()],
    ['six days', facts(1, 7), at(1), at(5).toISOString()],
    [
      'a clock that is far ahead: an hour later, not at once',
      facts(1, 91),
      at(80),
      '2026-03-21T01:00:00.000Z',
    ],
  ])('%s', (_, given, now, when) => {
    expect(renewalOf(given, now)).toBe(when)
  })
  it('[NET-4.acme-failure] after refusals, longer each time, a day at most', () => {
    expect([0, 1, 2, 6, 7, 50].map((failures) => pauseAfter(failures) / 60_000)).toEqual([
      15, 30, 60, 960, 1440, 1440,
    ])
  })
})

describe('[NET-4.acme-failure] what the authority says', () => {
  const answering = (status: number, body: string) => ({
    outbound: {
      ask: async (url: string) => ({ status, headers: {}, body: Buffer.from(body), url }),
      close: async () => undefined,
    },
    signal: new AbortController().signal,
  })
  const said = async (status: number, body: string) => {
    const client = createClient({ directory: 'https://ca.example/dir', accountKey: '' })
    try {
      await within(answering(status, body), () => client.getTermsOfServiceUrl())
    } catch (error) {
      if (error instanceof AuthorityRefusal) return [error.message, error.type, error.passing]
      throw error
    }
    return null
  }
  const problem = (type: string, rest: object = {}) =>
    JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: 'No.', ...rest })
  it.each<[string, number, string, unknown[]]>([
    ['a refusal', 403, problem('rejectedIdentifier'), ['No.', 'rejectedIdentifier', false]],
    ['patience', 429, problem('rateLimited'), ['No.', 'rateLimited', true]],
    ['its own trouble', 500, problem('serverInternal'), ['No.', 'serverInternal', true]],
    ['a page of a proxy', 502, '<html>', ['it answered 502', '', true]],
    [
      'which names',
      400,
      problem('malformed', { subproblems: [{ detail: 'Bad.', identifier: { value: 'a.example' } }] }),
      ['No.; a.example: Bad.', 'malformed', false],
    ],
  ])('%s', async (_, status, body, words) => {
    expect(await said(status, body)).toEqual(words)
  })
  it('that nobody answers is no refusal', async () => {
    const client = createClient({ directory: 'https://ca.example/dir', accountKey: '' })
    const outbound = {
      ask: () => Promise.reject(new OutboundError('It cannot be reached.')),
      close: async () => undefined,
    }
    const way = { outbound, signal: new AbortController().signal }
    await expect(within(way, () => client.getTermsOfServiceUrl())).rejects.toThrow('It cannot be reached.')
  })
  it('nothing is asked outside of a step', async () => {
    const client = createClient({ directory: 'https://ca.example/dir', accountKey: '' })
    await expect(client.getTermsOfServiceUrl()).rejects.toThrow('within a step')
  })
})
