/** A controller's own reconciling over a real cluster, with what it told and what it asked: as it drives one, without a control plane. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DesiredInstance,
  type InstanceSpecInput,
  instanceSpec,
  type ObservedInstance,
} from '@kalnet/contracts/instance'
import { openJournal } from '@kalnet/controller/journal'
import type { Api } from '@kalnet/controller/platforms/kubernetes/api'
import type { Platform } from '@kalnet/controller/platforms/platform'
import { createReconciler } from '@kalnet/controller/reconcile'
import { systemClock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { chain, log, type Shared } from '../subject.ts'

export const ORGANISATION = '01890000-0000-7000-8000-00000000a000'
export const never = new AbortController().signal
export const wait = { timeout: 180_000, interval: 200 }

export const wish = (
  changes: Partial<InstanceSpecInput> = {},
  more: Partial<DesiredInstance> = {},
): DesiredInstance => ({
  id: newId(),
  generation: 1,
  organisationId: ORGANISATION,
  platform: 'kubernetes',
  state: 'running',
  spec: instanceSpec.parse({ image: { recipe: chain }, command: ['sleep', '3000'], ...changes }),
  ...more,
})

/** Each question to the API, when it was put; a watch counts once. */
export function counted(api: Api, asked: number[]): Api {
  const note = <A extends unknown[], R>(work: (...words: A) => R) => {
    return (...words: A): R => {
      asked.push(Date.now())
      return work(...words)
    }
  }
  return {
    get: note(api.get) as Api['get'],
    text: note(api.text),
    apply: note(api.apply) as Api['apply'],
    patch: note(api.patch) as Api['patch'],
    post: note(api.post) as Api['post'],
    remove: note(api.remove),
    watch: note(api.watch) as Api['watch'],
    channels: note(api.channels),
  }
}

export interface Controlled {
  platform: Platform
  wish(it: DesiredInstance): void
  last(id: string): ObservedInstance | undefined
  /** Every state that was told of it, in order, without repeats. */
  states(id: string): string[]
  inventory(): ObservedInstance[]
  /** Times of all questions so far. */
  asked: readonly number[]
  /** Words of `fingerprint`, as they came. */
  said: { usable: boolean; detail: string }[]
  end(): Promise<void>
}

export function control(
  shared: Shared,
  changes: object = {},
  wrap: (api: Api) => Api = (api) => api,
): Controlled {
  const folder = mkdtempSync(join(tmpdir(), 'kn-faults-'))
  const journal = openJournal(join(folder, 'journal.sqlite'))
  const stop = new AbortController()
  const asked: number[] = []
  const platform = shared.platform(changes, newId(), (api) => counted(wrap(api), asked))
  const observed: ObservedInstance[] = []
  const reconciler = createReconciler({
    platforms: [platform],
    journal,
    clock: systemClock,
    log,
    report: (it) => void observed.push(it),
    signal: stop.signal,
  })
  const said: Controlled['said'] = []
  const running = Promise.all([
    reconciler.run(),
    (async () => {
      for await (const { usable, detail } of platform.fingerprint(stop.signal)) said.push({ usable, detail })
    })(),
  ])
  const wishes = new Map<string, DesiredInstance>()
  return {
    platform,
    asked,
    said,
    wish(it) {
      wishes.set(it.id, it)
      reconciler.desiredAll([...wishes.values()])
    },
    last: (id) => observed.findLast((it) => it.id === id),
    states: (id) =>
      observed
        .filter((it) => it.id === id)
        .flatMap((it, at, all) => (all[at - 1]?.state === it.state ? [] : it.state)),
    inventory: () => reconciler.inventory(),
    async end() {
      stop.abort()
      await running
      journal.close()
      for (const handle of await platform.list()) await platform.remove(handle)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
