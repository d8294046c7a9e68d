/** What a cluster has to tell: pods that changed, and whether it can be used. One watch for all that listen. */
import type { Fingerprint } from '@kalnet/contracts/controller'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { V1Node } from '@kubernetes/client-node'
import { createAnnouncer } from '../announce.ts'
import { problemInWords } from '../reasons.ts'
import { whileHeard } from '../while-heard.ts'
import { type Api, ApiProblem } from './api.ts'
import { refusalInWords } from './observation.ts'
import type { Overview } from './overview.ts'
import { handleFrom } from './pod.ts'
import { CLUSTER_RIGHTS, ifAllowed, missingRights, RIGHTS } from './rights.ts'
import { machinesOf, roomOf } from './room.ts'
import type { KubernetesSettings } from './settings.ts'
import { missingForSpaces } from './space-rights.ts'
import type { PodStore } from './store.ts'
import { versionProblem } from './versions.ts'

/** What was told is said anew, and what is not right is asked again. */
const LOOK_AGAIN_MS = 300_000
/** Rights and classes change without a word to us: where all is well they are asked for this seldom, and at once where something is refused. */
const ASK_AGAIN_MS = 3_600_000
const DOUBT_MS = 30_000
const AWAY_MS = 5_000

interface Asked {
  version: string
  /** Why it cannot be used, in words. */
  problem: string | null
  at: number
}

export interface NewsParts {
  api: Api
  store: PodStore
  overview: Overview
  settings: KubernetesSettings
  clock: Clock
  log: Log
}

export function createNews({ api, store, overview, settings, clock, log }: NewsParts) {
  const look = createAnnouncer<'everything' | 'what was told'>()
  let asked: Asked | null = null
  let doubtedAt = 0
  const now = () => clock.now().getTime()
  const unseen = (error: unknown) => log.warn({ error }, 'the cluster could not be looked at')
  const base = { platform: 'kubernetes' as const, isolation: 'container' as const, images: [] }
  const unusable = (detail: string, version = ''): Fingerprint => ({
    ...base,
    usable: false,
    detail: detail.slice(0, 500),
    version,
    limits: false,
    network: false,
    localNetwork: false,
  })

  /** Before the machines are told for the first time they are asked for. */
  async function machines(): Promise<V1Node[] | null> {
    const told = overview.machines()
    if (told) return told
    return (await ifAllowed(() => api.get<{ items: V1Node[] }>('/api/v1/nodes')))?.items ?? null
  }
  async function roomInWords(): Promise<string> {
    const all = await machines()
    if (!all) {
      const verbs = CLUSTER_RIGHTS.map((it) => `${it.verbs.join(', ')} ${it.resource}`).join('; ')
      return `how much room it has is not known, because we may not ${verbs}`
    }
    const open = roomOf(machinesOf(all, [], null)).machines
    const unready = all.length - open
    return `${all.length === 1 ? '1 machine' : `${all.length} machines`}${unready ? `, ${unready} of them take nothing` : ''}`
  }

  async function ask(signal: AbortSignal, version: string): Promise<Asked> {
    const missing = await missingRights(api, settings.namespace)
    // Nobody waits for a registry that does not answer.
    overview.look({ version, missing }, signal).catch(unseen)
    const reasons = RIGHTS.filter((it) => missing.some((one) => one.endsWith(` ${it.resource}`))).map(
      (it) => it.why,
    )
    const problem =
      missing.length > 0
        ? `We may not ${missing.join(', ')} in the namespace ${settings.namespace} (${reasons.join('; ')}); apply the Role again`
        : await missingForSpaces(api, settings)
    return { version, problem, at: now() }
  }

  async function fingerprintNow(isDoubted: boolean, signal: AbortSignal): Promise<Fingerprint> {
    let version = ''
    try {
      if (isDoubted || !asked || asked.problem || now() - asked.at >= ASK_AGAIN_MS) {
        asked = null
        version = String((await api.get<{ gitVersion?: string }>('/version')).gitVersion ?? '').slice(0, 100)
        const tooOld = versionProblem(version)
        if (tooOld) return unusable(`The cluster cannot be used: ${tooOld}`, version)
        asked = await ask(signal, version)
      }
      version = asked.version
      if (asked.problem) return unusable(asked.problem, version)
      const registry = settings.registry ? '' : '; no registry is set, so only images by reference run'
      const detail = `Ready: ${await roomInWords()}${registry}`.slice(0, 500)
      return { ...base, usable: true, detail, version, limits: true, network: true, localNetwork: true }
    } catch (error) {
      const words =
        error instanceof ApiProblem ? refusalInWords(error.status, error.message) : problemInWords(error)
      return unusable(`The cluster cannot be used: ${words}`, version)
    }
  }

  const watch = whileHeard((signal) => {
    store
      .run(signal)
      .catch((error: unknown) => log.error({ error: String(error) }, 'watching the cluster ended'))
    void overview.run(signal)
    void lookAgain(signal)
  })
  async function lookAgain(signal: AbortSignal) {
    while (!signal.aborted) {
      const isTold = store.all() !== null
      await clock.sleep(isTold ? LOOK_AGAIN_MS : AWAY_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      look.say(isTold ? 'what was told' : 'everything')
      if (isTold) await overview.lookAtRegistry(signal).catch(unseen)
    }
  }

  let isMending = false
  /** Told and yet of no use (a token that is over, a right that is gone): somebody is mending it. */
  async function lookWhetherMended(signal: AbortSignal) {
    isMending = true
    await clock.sleep(DOUBT_MS, signal).catch(() => undefined)
    isMending = false
    if (!signal.aborted && store.all()) look.say('everything')
  }

  return {
    /** Both cost no question. */
    room: overview.room,
    cluster: overview.report,
    /** Something was refused: our rights may be others now. */
    doubt() {
      if (now() - doubtedAt < DOUBT_MS) return
      doubtedAt = now()
      look.say('everything')
    },
    async *changes(signal: AbortSignal) {
      const told = store.changes(signal)
      watch(signal)
      for await (const pod of told) {
        overview.changed()
        const handle = handleFrom(pod)
        if (handle) yield { instanceId: handle.instanceId, generation: handle.generation }
      }
    },
    async *fingerprint(signal: AbortSignal) {
      const news = look.listen(signal)
      const presence = store.presence(signal)
      const relay = (async () => {
        for await (const _ of presence) look.say('everything')
      })()
      watch(signal)
      let last = ''
      const fresh = async (isDoubted: boolean) => {
        const it = await fingerprintNow(isDoubted, signal)
        const isNew = JSON.stringify(it) !== last
        last = JSON.stringify(it)
        if (!it.usable && !isMending) void lookWhetherMended(signal)
        return isNew ? it : null
      }
      const first = await fresh(true)
      if (first) yield first
      for await (const what of news) {
        const next = await fresh(what === 'everything')
        if (next) yield next
      }
      await relay
    },
  }
}
