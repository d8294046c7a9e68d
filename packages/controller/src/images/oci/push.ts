/** The image of a recipe in a registry: found there, or built, packed and sent; once, however many ask. */
import { type Clock, stamp, systemClock } from '@kalnet/io/clock'
import { createKeyedMutex } from '../../platforms/mutex.ts'
import type { Images } from '../images.ts'
import { createRegistryClient, type RegistryClient } from './client.ts'
import { MANIFEST_TYPE, makeManifest, readManifest, sumOf, tagOf } from './manifest.ts'
import { sendParts } from './parts.ts'
import { type EnsurePushed, type Pushed, type PushRequest, RegistryProblem } from './pushed.ts'
import { type PushRecord, rememberPushes } from './remembered.ts'
import { hostOf, type ImageRegistry, imageRegistry, pinned, repositoryOf } from './settings.ts'

export interface RegistryImages {
  ensurePushed: EnsurePushed
  /** What was pushed from here, or found there, to one registry or to all. */
  list(registry?: ImageRegistry): Promise<PushRecord[]>
  close(): Promise<void>
}

/** Who waits for another one's push may stop waiting. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const NONE = { sent: 0, there: 0, lent: 0 }
/** One push: what all its steps know. */
interface Work {
  client: RegistryClient
  registry: ImageRegistry
  repository: string
  image: string
  name: string
  request: PushRequest
  say(text: string, share: number): void
}

export function createRegistryImages({
  images,
  clock = systemClock,
}: {
  images: Images
  clock?: Clock
}): RegistryImages {
  const remembered = rememberPushes(images.folder)
  const oneAtATime = createKeyedMutex()
  /** Kept, so that a token serves more than one question. */
  const clients = new Map<string, RegistryClient>()

  function clientOf(registry: ImageRegistry): RegistryClient {
    const key = JSON.stringify([registry.url, registry.credentials, registry.ca])
    const client = clients.get(key) ?? createRegistryClient(registry, clock)
    clients.set(key, client)
    return client
  }

  const pushed = (record: PushRecord, blobs: Pushed['blobs'] = NONE, sentBytes = 0): Pushed => {
    const { reference, tagged, digest } = record
    return { reference, tagged, digest, blobs, sentBytes }
  }

  const recordOf = (it: Work, digest: string, blobs: string[], builtAt: string | null): PushRecord => ({
    image: it.image,
    name: it.name,
    reference: pinned(it.registry, it.name, digest),
    tagged: `${hostOf(it.registry)}/${it.repository}:${tagOf(it.image)}`,
    digest,
    builtAt,
    repository: it.repository,
    blobs,
    pushedAt: stamp(clock),
  })

  const manifestRequest = (it: Work, name: string) => ({
    at: `/v2/${it.repository}/manifests/${name}`,
    headers: { accept: MANIFEST_TYPE },
    scopes: [`${it.repository}:pull,push`],
    signal: it.request.signal,
  })

  async function isStillThere(it: Work, digest: string): Promise<boolean> {
    const request = { ...manifestRequest(it, digest), method: 'HEAD' as const }
    return (await it.client.call(request, `${it.client.host} could not be asked`, [200, 404])).status === 200
  }

  /** Pushed by somebody else from the same recipe: another controller, or a person. */
  async function findThere(it: Work): Promise<PushRecord | null> {
    const request = { ...manifestRequest(it, tagOf(it.image)), method: 'GET' as const }
    const answer = await it.client.call(request, `${it.client.host} could not be asked`, [200, 404])
    const found = answer.status === 200 ? readManifest(answer, it.image) : null
    return found && recordOf(it, found.digest, found.blobs, null)
  }

  async function push(it: Work): Promise<Pushed> {
    const { registry, repository, client, request, say } = it
    const others = (await remembered.list(registry)).filter((other) => other.repository !== repository)
    const lenders = new Map(others.flatMap((one) => one.blobs.map((digest) => [digest, one.repository])))
    const sending = { images, client, repository, lenders, chain: request.chain, signal: request.signal, say }
    const { builtAt, config, layers, count, sentBytes } = await sendParts(sending)
    const body = makeManifest({ image: it.image, name: it.name, builtAt, config, layers })
    const digest = sumOf(body)
    say(`Naming ${it.name} in the registry`, 0.99)
    const headers = { 'content-type': MANIFEST_TYPE }
    const put = { ...manifestRequest(it, tagOf(it.image)), method: 'PUT' as const, body, headers }
    const answer = await client.call(put, 'The image could not be named', [201])
    const theirs = answer.headers['docker-content-digest']
    if (theirs && theirs !== digest)
      throw new RegistryProblem(
        'failed',
        `${client.host} took the image, but knows it by another sum than ours.`,
      )
    const blobs = [config, ...layers].map((blob) => blob.digest)
    const done = recordOf(it, digest, blobs, builtAt)
    await remembered.write(registry, done)
    return pushed(done, count, sentBytes)
  }

  async function ensure(it: Work): Promise<Pushed> {
    const { prefer = 'there' } = it.request
    const known = await remembered.read(it.registry, it.image)
    if (prefer === 'here') {
      const built = (await images.list()).find((one) => one.digest === it.image)
      const isSame = known !== null && known.builtAt === built?.builtAt
      return isSame && (await isStillThere(it, known.digest)) ? pushed(known) : push(it)
    }
    if (known) {
      try {
        if (await isStillThere(it, known.digest)) return pushed(known)
      } catch (error) {
        // It was there: machines that have it already can start it without the registry.
        if (!(error instanceof RegistryProblem) || error.kind === 'refused') throw error
        it.say(`${it.client.host} does not answer; going on with what it had`, 1)
        return pushed(known)
      }
    }
    const found = await findThere(it)
    if (!found) return push(it)
    await remembered.write(it.registry, found)
    return pushed(found)
  }

  return {
    async ensurePushed(request) {
      const registry = imageRegistry.parse(request.registry)
      const image = images.digest(request.chain)
      const name = request.chain.at(-1)?.name ?? ''
      const repository = repositoryOf(registry, name)
      let share = 0
      const say = (text: string, next: number) => {
        share = Math.max(share, Math.min(next, 1))
        request.say({ step: 'image', text: text.slice(0, 200), share })
      }
      const work = { client: clientOf(registry), registry, repository, image, name, request, say }
      const mine = oneAtATime(`${registry.url} ${repository} ${image}`, async () => {
        request.signal.throwIfAborted()
        return ensure(work)
      })
      return orAborted(mine, request.signal)
    },
    list: (registry) => remembered.list(registry),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()))
      clients.clear()
    },
  }
}
