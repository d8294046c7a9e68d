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
  networks: InstanceNetworks
  images: Images
  installation: string
  /** All of this installation. */
  list(): Promise<Handle[]>
  clock: Clock
  log: Log
  filterEveryMs?: number
}

export function createNews(parts: NewsParts) {
  const { engine, networks, clock, log } = parts
  const changes = createAnnouncer<{ instanceId: string; generation: number }>()
  const presence = createAnnouncer<boolean>()

  async function fingerprintNow(): Promise<Fingerprint> {
    const built = (await parts.images.list()).map((it) => it.digest).slice(0, 500)
    const base = { platform: 'docker' as const, isolation: 'container' as const, images: built }
    const network = networks.isPossible
    try {
      const { Version } = await (await engine.client()).version()
      const detail = network
        ? 'Ready'
        : 'Ready; without network, because only root may set the filter that keeps sessions out of your LAN'
      return { ...base, usable: true, detail, version: Version, limits: true, network, localNetwork: network }
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

  const watch = whileHeard((signal) => {
    const told = (labels: Record<string, string>) => {
      const handle = handleFrom('', labels)
      if (handle) tell(handle)
    }
    const { installation } = parts
    watchEngine({ engine, installation, clock, log, tell: told, connected }, signal).catch((error) =>
      log.error({ error: String(error) }, 'watching the container engine ended'),
    )
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
