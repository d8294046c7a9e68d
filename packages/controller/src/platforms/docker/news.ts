/** What the engine has to tell: containers that changed, and whether it can be used at all. One event stream for all that listen. */
import type { Fingerprint } from '@kalnet/contracts/controller'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Images } from '../../images/images.ts'
import { createAnnouncer } from '../announce.ts'
import { keepFilter } from '../keep-filter.ts'
import type { Handle } from '../platform.ts'
import { whileHeard } from '../while-heard.ts'
import { handleFrom } from './container.ts'
import type { Engine } from './engine.ts'
import { watchEngine } from './events.ts'
import type { InstanceNetworks } from './network.ts'

export interface NewsParts {
  engine: Engine
  networks: Pick<InstanceNetworks, 'isPossible' | 'keep' | 'mend'>
  images: Pick<Images, 'list'>
  installation: string
  /** All of this installation. */
  list(): Promise<Handle[]>
  clock: Clock
  log: Log
  filterEveryMs?: number
  /** How often it is looked which images are there now. */
  lookEveryMs?: number
}

const LOOK_AGAIN_MS = 60_000
/** What a fingerprint holds at most. */
const IMAGES_MOST = 500

/** Somebody else's images, by every name that the engine knows them by: what runs by reference begins at once where it is. */
async function referencesOf(client: Awaited<ReturnType<Engine['client']>>): Promise<string[]> {
  const names = (await client.listImages()).flatMap((it) => [
    ...(it.RepoTags ?? []),
    ...(it.RepoDigests ?? []),
  ])
  // Ours are known by what they are made of.
  return names.filter((it) => !it.startsWith('<none>') && !/^kalnet[-/]/.test(it)).sort()
}

export function createNews(parts: NewsParts) {
  const { engine, networks, clock, log } = parts
  const changes = createAnnouncer<{ instanceId: string; generation: number }>()
  const presence = createAnnouncer<boolean>()

  async function fingerprintNow(): Promise<Fingerprint> {
    const built = (await parts.images.list()).map((it) => it.digest).slice(0, IMAGES_MOST)
    const base = { platform: 'docker' as const, isolation: 'container' as const, images: built }
    const network = networks.isPossible
    try {
      const client = await engine.client()
      const { Version } = await client.version()
      const images = [...built, ...(await referencesOf(client))].slice(0, IMAGES_MOST)
      const detail = network
        ? 'Ready'
        : 'Ready; without network, because only root may set the filter that keeps sessions out of your LAN'
      const abilities = { usable: true, limits: true, network, localNetwork: network }
      return { ...base, ...abilities, images, detail, version: Version }
    } catch {
      const detail = 'The Docker engine does not answer; start it, and let this user use it (group docker)'
      const nothing = { usable: false, limits: false, network: false, localNetwork: false }
      return { ...base, ...nothing, detail, version: '' }
    }
  }

  function tell({ instanceId, generation }: Pick<Handle, 'instanceId' | 'generation'>) {
    changes.say({ instanceId, generation })
  }

  async function connected(isThere: boolean) {
    presence.say(isThere)
    if (!isThere) return
    await networks
      .keep()
      .catch((error) => log.error({ error: String(error) }, 'the filter of networks could not be set'))
    // While the engine was away anything may have happened: look at all.
    for (const handle of await parts.list()) tell(handle)
  }

  /** Images come and go without a word of the engine about a container. */
  async function lookAgain(signal: AbortSignal) {
    while (!signal.aborted) {
      // The signal ends the sleep: that is the end of it.
      await clock.sleep(parts.lookEveryMs ?? LOOK_AGAIN_MS, signal).catch(() => undefined)
      if (!signal.aborted) presence.say(true)
    }
  }

  const watch = whileHeard((signal) => {
    const told = (labels: Record<string, string>) => {
      const handle = handleFrom('', labels)
      if (handle) tell(handle)
    }
    const { installation } = parts
    watchEngine({ engine, installation, clock, log, tell: told, connected }, signal).catch((error) =>
      log.error({ error: String(error) }, 'watching the container engine ended'),
    )
    void lookAgain(signal)
    void keepFilter({ networks, clock, log, everyMs: parts.filterEveryMs }, signal)
  })

  return {
    changes(signal: AbortSignal) {
      const listening = changes.listen(signal)
      watch(signal)
      return listening
    },
    async *fingerprint(signal: AbortSignal) {
      const news = presence.listen(signal)
      watch(signal)
      let last = ''
      const fresh = async () => {
        const now = await fingerprintNow()
        const isNew = JSON.stringify(now) !== last
        last = JSON.stringify(now)
        return isNew ? now : null
      }
      const first = await fresh()
      if (first) yield first
      for await (const _ of news) {
        const next = await fresh()
        if (next) yield next
      }
    },
  }
}
