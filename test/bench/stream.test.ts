import { describe, expect, it } from 'vitest'
import { type Figure, MUSTS, missedMusts } from './stream.ts'

const kept: Figure[] = MUSTS.map(({ figure, atMost }) => ({
  figure,
  unit: '',
  ours: atMost,
  peer: 1,
  peerName: 'websockify (Debian)',
  ratio: atMost,
  n: 10,
}))

describe('bench stream', () => {
  it('figures at their limits miss nothing', () => {
    expect(missedMusts(kept)).toEqual([])
  })
  it.each([
    ['a ratio too high', { ratio: 0.51 }, 'relay CPU, 50 streams: 0.51 is more than 0.5'],
    [
      'no peer to compare with',
      { ratio: null, peer: null, peerName: null },
      'relay CPU, 50 streams: not measured',
    ],
  ])('%s is missed', (_name, change, problem) => {
    expect(missedMusts([{ ...kept[0]!, ...change }, ...kept.slice(1)])).toEqual([problem])
  })
})
