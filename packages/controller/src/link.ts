/** What the control plane says to this controller and what it does about it. The link itself is `@kalnet/wire/link`. */
import type { FromController, ToController } from '@kalnet/contracts/controller'
import type { Log } from '@kalnet/io/log'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import { dialRaw } from '@kalnet/wire/raw'
import { readScreen } from '@kalnet/wire/rfb-screen'
import type { Certificates } from './certificates.ts'
import { dialAsStream } from './datagrams.ts'
import type { Identity } from './identity.ts'
import type { FarWay } from './links/far.ts'
import type { Links } from './links/links.ts'
import type { MeasuredVolume } from './platforms/platform.ts'
import { problemInWords } from './platforms/reasons.ts'
import type { Reconciler } from './reconcile.ts'
import { readUses } from './uses.ts'

const DIAL_MS = 10_000
const MOST_LINES = 2000

export interface Answers {
  handle(message: ToController): void
  /** Streams that are open now. */
  open(): number
}

export function createAnswers(options: {
  reconciler: Reconciler
  identity: Pick<Identity, 'renew' | 'accepted'>
  links: Pick<Links, 'told'>
  far: Pick<FarWay, 'answered'>
  certificates: Pick<Certificates, 'given'>
  /** Whether it is gone, or in words why not. */
  forgetVolume(id: string): Promise<string | null>
  measureVolume(id: string): Promise<MeasuredVolume>
  url: string
  ca?: string
  send(message: FromController): boolean
  log: Log
  signal: AbortSignal
}): Answers {
  const { reconciler, identity, send, log, signal } = options
  let open = 0

  const dial = (instanceId: string, port: string) => {
    const found = reconciler.find(instanceId)
    if (!found) throw new Error('it is not on this machine')
    const declared = reconciler.running(instanceId)?.spec.ports.find((it) => it.name === port)
    if (declared && 'udp' in declared.at) return dialAsStream(found, port, signal, DIAL_MS)
    return found.platform.dial(found.handle, port, AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)]))
  }

  const isScreen = (instanceId: string, port: string) =>
    reconciler.running(instanceId)?.spec.ports.find((it) => it.name === port)?.kind === 'display'

  /** The instance first: the control plane is only asked for a connection that has another end. */
  async function openStream(message: Extract<ToController, { type: 'stream.open' }>) {
    const { streamId, instanceId, port, token } = message
    try {
      const inner = await dial(instanceId, port)
      // Ends the wait for the control plane, should the instance end meanwhile; joining listens itself.
      inner.on('error', () => inner.destroy())
      const outer = await dialRaw({ url: options.url, tls: { ca: options.ca }, token, signal }).catch(
        (error) => {
          inner.destroy()
          throw error
        },
      )
      if (inner.destroyed) {
        outer.destroy()
        throw new Error('it ended just now')
      }
      open += 1
      try {
        await joinStreams(inner, outer, signal, isScreen(instanceId, port) ? undefined : LONG_HALF_MS)
      } finally {
        open -= 1
      }
    } catch (error) {
      log.warn({ stream: streamId, instance: instanceId, error }, 'a stream could not be opened')
      send({ type: 'stream.failed', streamId, problem: problemInWords(error) })
    }
  }

  async function readLogs({ requestId, instanceId, lines }: Extract<ToController, { type: 'logs.read' }>) {
    const found = reconciler.find(instanceId)
    const wanted = Math.min(lines, MOST_LINES)
    const read = found ? await found.platform.logs(found.handle, wanted) : []
    send({ type: 'logs', requestId, lines: read.slice(-wanted) })
  }

  async function readPicture(message: Extract<ToController, { type: 'screen.read' }>) {
    const { requestId, instanceId, port, maxWidth } = message
    try {
      const png = await readScreen(await dial(instanceId, port), { maxWidth, signal })
      send({ type: 'screen', requestId, png: png.toString('base64') })
    } catch (error) {
      log.info({ instance: instanceId, problem: problemInWords(error) }, 'no picture of its screen')
      send({ type: 'screen', requestId, png: null })
    }
  }

  const readUse = async ({ requestId, instances }: Extract<ToController, { type: 'use.read' }>) =>
    void send({ type: 'use', requestId, instances: await readUses(reconciler.running, instances, signal) })

  const forgetVolume = async (id: string) =>
    void send({ type: 'volume.gone', id, problem: await options.forgetVolume(id) })

  async function measureVolume(id: string) {
    const measured = await options.measureVolume(id)
    // Broken off, nothing is known of it: it is asked again.
    if (!signal.aborted) send({ type: 'volume.measured', id, ...measured })
  }

  const renewKey = async (requestId: string) =>
    void send({ type: 'key.new', requestId, ...(await identity.renew(requestId)) })

  const inBackground = (work: Promise<void>, what: string) =>
    void work.catch((error) => log.error({ error }, `${what} failed`))

  return {
    handle(message) {
      switch (message.type) {
        case 'desired.all':
          return reconciler.desiredAll(message.instances)
        case 'desired':
          return reconciler.desired(message.instance)
        case 'forget':
          return reconciler.forget(message.id, message.generation)
        case 'stream.open':
          return inBackground(openStream(message), 'opening a stream')
        case 'logs.read':
          return inBackground(readLogs(message), 'reading a log')
        case 'screen.read':
          return inBackground(readPicture(message), 'reading a screen')
        case 'use.read':
          return inBackground(readUse(message), 'reading what is used')
        case 'volume.forget':
          return inBackground(forgetVolume(message.id), 'taking a volume away')
        case 'volume.measure':
          return inBackground(measureVolume(message.id), 'measuring a volume')
        case 'key.rotate':
          return inBackground(renewKey(message.requestId), 'making a new key')
        case 'key.accepted':
          return inBackground(identity.accepted(message.requestId), 'keeping the new key')
        case 'links':
          return options.links.told(message)
        case 'link.dialled':
          return options.far.answered(message)
        case 'identity.given':
          return options.certificates.given(message)
        case 'challenge':
        case 'welcome':
        case 'refused':
          // The link answers these itself.
          return
      }
    },
    open: () => open,
  }
}
