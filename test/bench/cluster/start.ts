/** Click to first frame, stage by stage, on a real cluster beside docker and process: sessions of one whole product, by turns, so that what else the machine does hits all alike. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session, STAGES } from '@kalnet/contracts/session'
import { stringify } from 'yaml'
import { createClient } from '../../support/client.ts'
import { lendRegistry } from '../../support/cluster/lend.ts'
import { NAMESPACE, prepareCluster } from '../../support/cluster/prepared.ts'
import { startImageRegistry } from '../../support/image-registry.ts'
import { lacking } from '../../support/parts.ts'
import { startProduct, tokenOf } from '../../support/product.ts'
import { launchOnce, NEEDS } from '../stream/start.ts'
import { SEEN, type Seen, watchPods } from './seen.ts'

const PLATFORMS = ['process', 'docker', 'kubernetes'] as const
type Place = (typeof PLATFORMS)[number]

/** Milliseconds from the click. */
export interface StageFigure {
  platform: Place
  stage: string
  p50: number
  p95: number
  n: number
}

const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * q) - 1)] ?? 0
}
const at = (session: Session, stage: (typeof STAGES)[number]) => Date.parse(session.stages[stage] ?? '')

/** One launch as times of its stages. */
function stagesOf({ session, total, clickedAt }: Awaited<ReturnType<typeof launchOnce>>, seen: Seen) {
  const found: Record<string, number> = {}
  const set = (stage: string, time: number | undefined) => {
    if (time !== undefined && Number.isFinite(time)) found[stage] = time - clickedAt
  }
  set('accepted', at(session, 'accepted'))
  set('placed', at(session, 'placed'))
  for (const stage of SEEN) set(stage, seen[stage])
  set('created', at(session, 'created'))
  set('display ready', at(session, 'displayReady'))
  set('first byte', at(session, 'firstByte'))
  found['first frame'] = total
  return found
}

function figuresOf(platform: Place, rounds: Record<string, number>[]): StageFigure[] {
  const stages = [...new Set(rounds.flatMap((it) => Object.keys(it)))]
  return stages.map((stage) => {
    const values = rounds.flatMap((it) => it[stage] ?? [])
    const [p50, p95] = [0.5, 0.95].map((q) => Math.round(quantile(values, q)))
    return { platform, stage, p50: p50 ?? 0, p95: p95 ?? 0, n: values.length }
  })
}

export async function measureStarts(
  { n, say }: { n: number; say(it: string): void },
  signal: AbortSignal,
): Promise<StageFigure[]> {
  const { cluster, kubeconfig, close } = await prepareCluster({ walls: false })
  const home = await mkdtemp(join(tmpdir(), 'kn-'))
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  const registryHome = await mkdtemp(join(tmpdir(), 'kn-registry-'))
  const registry = await startImageRegistry(registryHome)
  const giveBack = await lendRegistry(cluster, registry.port)
  try {
    const seen = watchPods(join(cluster.folder, 'admin.kubeconfig'), NAMESPACE, until)
    await mkdir(join(home, 'config'), { recursive: true })
    const kubernetes = { enabled: true, kubeconfig, namespace: NAMESPACE, registry: `${registry.url}/bench` }
    await writeFile(
      join(home, 'config/kalnet.yaml'),
      stringify({ kubernetes: { ...kubernetes, volumeSize: '1Gi' } }),
    )
    const product = await startProduct({ home })
    try {
      const client = createClient(product.url)
      await client.claim(tokenOf(product.claim))
      const places: Place[] = []
      for (const it of PLATFORMS)
        if (it === 'kubernetes' || !(await lacking(NEEDS[it], `click to first frame on ${it}`)))
          places.push(it)
      // Ones that do not count: they build, push and fetch the image.
      for (const it of places) {
        await launchOnce(client, it, until)
        say(`${it} is warm`)
      }
      const rounds = new Map<Place, Record<string, number>[]>(places.map((it) => [it, []]))
      for (let turn = 0; turn < n; turn += 1)
        for (const it of places) {
          const launched = await launchOnce(client, it, until)
          rounds.get(it)?.push(stagesOf(launched, seen(launched.session.instanceId)))
        }
      return [...rounds].flatMap(([it, its]) => figuresOf(it, its))
    } finally {
      await product.down()
    }
  } finally {
    stop.abort()
    await giveBack()
    await registry.kill()
    await close()
    for (const it of [home, registryHome]) await rm(it, { recursive: true, force: true })
  }
}
