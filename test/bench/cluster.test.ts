/** What the bench of clusters demands. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Scale } from './cluster/scale.ts'
import { missedMusts } from './cluster.ts'

const scale = (changes: { writes?: number; quiet?: Record<string, number>; refused?: object }) =>
  ({
    writesPerInstance: changes.writes ?? 6,
    quiet: { minutes: 2, perMinute: changes.quiet ?? { 'watch pods': 0.1, 'list pods': 0.5 } },
    refused: changes.refused ?? {},
  }) as Scale
const first = (p95: number) => [
  { platform: 'kubernetes' as const, stage: 'first frame', p50: p95, p95, n: 20 },
]

const KEPT = join(import.meta.dirname, '../results/cluster.json')

describe('bench cluster', () => {
  it.each([
    ['all is well', scale({}), first(3_000), []],
    ['too many writes', scale({ writes: 8.1 }), first(1), ['writes per instance: 8.1 is more than 8']],
    ['polling', scale({ quiet: { 'list pods': 2 } }), first(1), ['asked in quiet: list pods']],
    ['too much at once', scale({ refused: { 429: 3 } }), first(1), ['too much at once: 3 answers said so']],
    ['late', scale({}), first(3_001), ['click to first frame on a cluster: p95 3001 ms is more than 3000']],
    ['nothing measured', scale({}), [], ['click to first frame on a cluster: not measured']],
  ])('%s', (_, its, starts, missed) => expect(missedMusts({ scale: its, starts })).toEqual(missed))

  // It takes minutes on a machine that does nothing else: `kalnet bench cluster --n 20`.
  it.runIf(existsSync(KEPT))(
    '[K8S-1.scale] [K8S-1.first-frame] the kept figures meet what is demanded',
    async () => {
      const kept = JSON.parse(await readFile(KEPT, 'utf8'))
      expect(kept.scale).toMatchObject({ machines: 50, instances: 500 })
      expect(missedMusts(kept)).toEqual([])
    },
  )
})
