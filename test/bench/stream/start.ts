/** Click to first frame, stage by stage, on each platform of this machine: real sessions of the whole product. */
import type { PlatformName } from '@kalnet/contracts/instance'
import { type Session, STAGES, sessionRoutes } from '@kalnet/contracts/session'
import { grabScreen } from '@kalnet/wire/rfb-screen'
import { createWebSocketStream } from 'ws'
import { type Client, createClient } from '../../support/client.ts'
import { lacking, type PartName } from '../../support/parts.ts'
import { startProduct, tokenOf } from '../../support/product.ts'
import type { Figure } from '../stream.ts'

export const NEEDS: Record<'process' | 'docker', PartName[]> = {
  process: ['bubblewrap', 'mmdebstrap'],
  docker: ['docker', 'mmdebstrap'],
}
const WORDS: Record<(typeof STAGES)[number], string> = {
  accepted: 'accepted',
  placed: 'placed',
  created: 'created',
  displayReady: 'display ready',
  firstByte: 'first byte',
  firstFrame: 'first frame',
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** One launch as a viewer has it: the click, the waiting, the ticket, the first whole picture. Milliseconds from the click. */
export async function launchOnce(client: Client, platform: PlatformName, signal: AbortSignal) {
  const clickedAt = Date.now()
  const click = performance.now()
  const launched = await client.launch('terminal', platform)
  await client.until(launched.id, ['running'])
  const socket = await client.open(launched.id)
  const stream = createWebSocketStream(socket)
  await grabScreen(stream, { signal })
  const total = performance.now() - click
  await client.call(sessionRoutes.firstFrame, { params: { id: launched.id } })
  stream.destroy()
  const session = await client.call(sessionRoutes.read, { params: { id: launched.id } })
  await client.call(sessionRoutes.stop, { params: { id: launched.id } })
  await client.until(launched.id, ['stopped', 'failed'])
  return { session, total, clickedAt }
}

const sinceAccepted = ({ stages }: Session, stage: (typeof STAGES)[number]): number =>
  Date.parse(stages[stage] ?? '') - Date.parse(stages.accepted ?? '')

/** `n` launches on each platform that is here, after one that does not count (it may build the root). */
export async function measureStart(n: number, signal: AbortSignal): Promise<Figure[]> {
  const product = await startProduct()
  try {
    const client = createClient(product.url)
    await client.claim(tokenOf(product.claim))
    const figures: Figure[] = []
    for (const platform of ['process', 'docker'] as const) {
      if (await lacking(NEEDS[platform], `click to first frame on ${platform}`)) continue
      await launchOnce(client, platform, signal)
      const rounds: Awaited<ReturnType<typeof launchOnce>>[] = []
      for (let turn = 0; turn < n; turn += 1) rounds.push(await launchOnce(client, platform, signal))
      const figure = (name: string, value: number): Figure => ({
        figure: `click to ${name}, ${platform}`,
        unit: 'ms',
        ours: Number(value.toFixed(0)),
        peer: null,
        peerName: null,
        ratio: null,
        n,
      })
      for (const stage of STAGES.slice(1, -1))
        figures.push(figure(WORDS[stage], median(rounds.map(({ session }) => sinceAccepted(session, stage)))))
      figures.push(figure('first frame', median(rounds.map(({ total }) => total))))
    }
    return figures
  } finally {
    await product.down()
  }
}
