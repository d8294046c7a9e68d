/** A controller: enrols once, then keeps one link to its control plane and reconciles what it is told, for ever. */
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ClusterReport } from '@kalnet/contracts/cluster'
import { type FromController, HEARTBEAT_MS } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import type { PlatformName } from '@kalnet/contracts/instance'
import { ANSWERS_USE } from '@kalnet/contracts/use'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { Folders } from '@kalnet/io/folders'
import type { Log } from '@kalnet/io/log'
import { machineId } from '@kalnet/io/machine'
import { connectLink, type Link } from '@kalnet/wire/link'
import packageFile from '../package.json' with { type: 'json' }
import { noteBeat } from './beat.ts'
import { measureCapacity } from './capacity.ts'
import { createCertificates } from './certificates.ts'
import { enrol } from './enrol.ts'
import { createFingerprints } from './fingerprints.ts'
import { forgetVolume } from './forget-volume.ts'
import { createProber } from './health/prober.ts'
import { openIdentity } from './identity.ts'
import { createImages } from './images/images.ts'
import { openJournal } from './journal.ts'
import { createAnswers } from './link.ts'
import { createCallCounts } from './links/calls.ts'
import { createFarWay } from './links/far.ts'
import { createLinks } from './links/links.ts'
import { createMeasuring } from './measure-volume.ts'
import type { ClusterConfig } from './platforms/kubernetes/settings.ts'
import type { Platform } from './platforms/platform.ts'
import { createPlatforms } from './platforms/registry.ts'
import { createReconciler } from './reconcile.ts'

export interface ControllerOptions {
  folders: Folders
  /** The control plane's address, exactly as configured: it is part of what is signed. */
  url: string
  platforms?: PlatformName[]
  /** Where networks of containers are cut from. */
  networkRange?: string
  /** Which cluster `kubernetes` is, where one is driven. */
  cluster?: ClusterConfig
  /** What its network is called, where others share it; none: this machine's own. */
  network?: string
  /** Needed once, while there is no identity in the data folder. */
  token?: string
  /** The control plane's own authority, PEM. */
  ca?: string
  /** What this machine is called. Default: its host name. */
  name?: string
  log: Log
  signal: AbortSignal
  clock?: Clock
  /** Called once, when the control plane has welcomed us for the first time. */
  onReady?(): void
  /** For tests: platforms of their own. */
  drive?: Platform[]
}

const SETTLE_MS = 3_000

/** Resolves when the signal was aborted and what was under way is written down. Instances live on. */
export async function runController(options: ControllerOptions): Promise<void> {
  const { folders, url, ca, log, clock = systemClock } = options
  const own = join(folders.data, 'controller')
  await mkdir(folders.data, { recursive: true, mode: 0o711 })
  await mkdir(own, { recursive: true, mode: 0o700 })
  await mkdir(folders.runtime, { recursive: true, mode: 0o711 })
  // Locks the folder: a second controller here fails now, before it touches anything.
  const journal = openJournal(join(own, 'journal.sqlite'))
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  try {
    const identity = await openIdentity(folders)
    if (identity.controllerId === null) {
      if (!options.token) throw fail('controller.unknown')
      const name = options.name ?? hostname()
      await enrol({ identity, url, ca, token: options.token, name, log, clock, signal })
    }
    const controllerId = identity.controllerId ?? ''

    const images = createImages({ folder: join(folders.data, 'images'), log })
    const { networkRange, cluster } = options
    const platforms =
      options.drive ??
      createPlatforms({ folders, images, log, networkRange, cluster, which: options.platforms })
    const fingerprints = createFingerprints(platforms, log, clock)

    let link: Link | null = null
    const send = (message: FromController) => link?.send(message) ?? false
    const reconciler = createReconciler({
      platforms,
      journal,
      clock,
      log,
      signal,
      report: (instance) => void send({ type: 'observed', instance }),
      identityOf: (id, until) => certificates.wait(id, until),
      changed(id) {
        prober.follow(id)
        links.follow(id)
        certificates.follow(id)
      },
    })
    const certificates = createCertificates({ reconciler, log, signal })
    const far = createFarWay({ url, ca, send })
    const calls = createCallCounts({ send, clock, signal })
    const links = createLinks({ controllerId, reconciler, journal, far, calls, clock, log, signal })
    const prober = createProber({
      running: reconciler.running,
      report: reconciler.noteHealth,
      clock,
      log,
      signal,
    })
    const machine = await machineId(options.network)
    const answers = createAnswers({
      reconciler,
      identity,
      links,
      far,
      certificates,
      measureVolume: createMeasuring({ platforms, log, signal }),
      forgetVolume: (id) => forgetVolume({ platforms, clock, signal }, id),
      url,
      ca,
      send,
      log,
      signal,
    })

    let isReady = false
    let haveChanged = false
    const clusterNow = () => platforms.flatMap((it) => it.cluster?.() ?? [])[0] ?? null
    /** What was told last of a cluster. */
    let told: ClusterReport | null = null
    /** Everything we have, in both directions, on every connect: whatever was lost in between is repaired by it. */
    async function exchange() {
      await fingerprints.complete
      told = clusterNow()
      const capacity = await measureCapacity(folders.data, platforms)
      send({
        type: 'inventory',
        fingerprints: fingerprints.now(),
        capacity,
        instances: reconciler.inventory(),
        ...(told ? { cluster: told } : {}),
      })
      if (isReady) return
      isReady = true
      options.onReady?.()
    }
    async function beat() {
      while (!signal.aborted) {
        // Aborted while waiting: the loop's condition ends it.
        await clock.sleep(HEARTBEAT_MS, signal).catch(() => undefined)
        if (signal.aborted || !link?.up()) continue
        const capacity = await measureCapacity(folders.data, platforms)
        const changed = haveChanged ? { fingerprints: fingerprints.now() } : {}
        const now = clusterNow()
        const isNews = now !== null && now !== told && !isDeepStrictEqual(now, told)
        if (!send({ type: 'heartbeat', capacity, ...changed, ...(isNews ? { cluster: now } : {}) })) continue
        haveChanged = false
        told = now
        await noteBeat(folders).catch((error: unknown) => log.warn({ error }, 'the beat could not be noted'))
      }
    }
    const running = [
      reconciler.run(),
      calls.run(),
      fingerprints.follow(signal, () => {
        haveChanged = true
      }),
    ]
    link = connectLink({
      url,
      tls: { ca },
      identity: {
        controllerId,
        sign: identity.sign,
        refused: identity.refused,
        proved: () =>
          void identity
            .proved()
            .catch((error: unknown) => log.error({ error }, 'which key is valid could not be kept')),
      },
      hello: { version: packageFile.version, hostname: hostname(), machine, answers: [ANSWERS_USE] },
      onMessage: answers.handle,
      onUp: () => {
        log.info({ url }, 'connected')
        exchange().catch((error) => log.error({ error }, 'the inventory could not be sent'))
      },
      onDown: (reason) => log.warn({ reason }, 'the control plane is away; instances run on'),
      signal,
      clock,
      log,
    })
    await Promise.all([...running, beat(), link.ended])
    await identity.idle()
    await Promise.race([reconciler.idle(), new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref())])
  } catch (error) {
    if (!options.signal.aborted) throw error
  } finally {
    stop.abort(new Error('the controller has ended'))
    journal.close()
  }
}
