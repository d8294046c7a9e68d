/** What the bench of the gateway demands, and that the kept figures meet it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { missedMusts, type Results } from './gateway.ts'

const resultsOf = (values: Record<string, number>): Results => ({
  n: 5,
  node: 'v24',
  load: [0, 0],
  compared: [],
  figures: Object.entries(values).map(([figure, value]) => ({ figure, value, unit: '' })),
})
const WELL = {
  'failed requests, one of two replicas killed': 0,
  'canary of 10 %, points beside it in 5,000 requests': 0.1,
  'token bucket, beside what it should let through': 1,
  'healthy p99 beside slow and never-reading clients': 1.5,
  'memory grown by 1 GB each way': 20,
}

describe('bench gateway', () => {
  it.each([
    ['all is well', {}, 0],
    ['a request failed', { 'failed requests, one of two replicas killed': 1 }, 1],
    ['the share is wrong', { 'canary of 10 %, points beside it in 5,000 requests': 2.5 }, 1],
    ['memory grows', { 'memory grown by 1 GB each way': 500 }, 1],
  ])('%s', (_, change, missed) => expect(missedMusts(resultsOf({ ...WELL, ...change })).length).toBe(missed))
  it('what was not measured is missed', () => expect(missedMusts(resultsOf({})).length).toBe(5))
  it('[MSH-3.retries] [MSH-3.canary] [MSH-3.rate] [NET-3.hostile] the kept figures meet what is demanded', async () => {
    const kept = await readFile(join(import.meta.dirname, '../results/gateway.json'), 'utf8')
    const results = JSON.parse(kept) as Results
    expect(missedMusts(results)).toEqual([])
    const subjects = new Set(results.compared.map(({ subject }) => subject))
    for (const subject of ['kalnet', 'http-proxy-3', 'undici', 'nginx', 'haproxy', 'traefik'])
      expect(subjects).toContain(subject)
  })
})
