/** Proves a template on this machine: builds its image, starts an instance, waits for its first frame, measures and takes it away. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fingerprint } from '@kalnet/contracts/controller'
import type { PlatformName } from '@kalnet/contracts/instance'
import { chainOf } from '@kalnet/contracts/recipe'
import type { SessionTemplate } from '@kalnet/contracts/template'
import { createImages, type Images, type Report } from '@kalnet/controller/images/images'
import { purgeDocker } from '@kalnet/controller/platforms/docker/purge'
import type { Platform } from '@kalnet/controller/platforms/platform'
import { createPlatforms } from '@kalnet/controller/platforms/registry'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { createLog } from '@kalnet/io/log'
import { sampleAnswers } from '@kalnet/server/catalog/lint'
import { resolveTemplate } from '@kalnet/server/catalog/resolve'
import { type CatalogFiles, readCatalog } from '@kalnet/server/catalog/source'
import type { Picture } from '@kalnet/wire/png'
import { watchScreen } from './first-frame.ts'

const BUILD_LIMIT_MS = 45 * 60_000
/** After the first frame: time to finish drawing. */
export const SETTLE_MS = 6_000

/** What stands in proved.json of whatever was proved. */
export interface ProofOfAny {
  version: string
  digest: string
  platform: PlatformName
  /** The whole image with all its layers. */
  sizeBytes: number
  at: string
}
export interface Proof extends ProofOfAny {
  /** From the order to start, image there, to the first picture with something on it. */
  firstFrameMs: number
}
export interface Proved {
  proof: Proof
  picture: Picture
  buildMs: number
}

export interface Bench {
  images: Images
  platform: Platform
  files: CatalogFiles
  /** What the platform says of this machine: whether it can be used, and why not. */
  fingerprint(): Promise<Fingerprint | null>
  close(): Promise<void>
}

/** A platform in a temporary home of its own, so that nothing of a running Kalnet is touched; the built images are kept. */
export async function openBench(options: {
  platform: PlatformName
  imagesFolder: string
  catalog: string
}): Promise<Bench> {
  const home = await mkdtemp(join(tmpdir(), 'kalnet-prove-'))
  const log = createLog('prove', 'warn')
  const images = createImages({ folder: options.imagesFolder, log })
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  const [platform] = createPlatforms({ folders, images, log, which: [options.platform] })
  if (!platform) throw new Error(`there is no platform ${options.platform}`)
  return {
    images,
    platform,
    files: await readCatalog(options.catalog),
    async fingerprint() {
      const stop = new AbortController()
      for await (const told of platform.fingerprint(stop.signal)) {
        stop.abort()
        return told
      }
      return null
    },
    async close() {
      // The image stays in the engine for a running Kalnet, without the name it had for this home.
      if (options.platform === 'docker') await purgeDocker({ folders, keepImages: true })
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** One template on one platform; the instance is taken away again, whatever happens. */
export async function proveTemplate(
  { images, platform, files }: Bench,
  template: SessionTemplate,
  {
    settleMs = SETTLE_MS,
    signal = new AbortController().signal,
    report = () => undefined,
  }: { settleMs?: number; signal?: AbortSignal; report?: Report } = {},
): Promise<Proved> {
  if (!('recipe' in template.image)) throw new Error('only templates of our own recipes are proved')
  const chain = chainOf(template.image.recipe, files.recipes)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(BUILD_LIMIT_MS)])
  const before = performance.now()
  await images.ensureRoot(chain, limit, report)
  const spec = resolveTemplate(template, sampleAnswers(template), chain)
  const organisationId = randomUUID()
  const request = () => ({ instanceId: randomUUID(), generation: 1, organisationId, spec })
  // Once for the engine to take the image in: the proof is about a warm one.
  const warm = await platform.ensure(request(), limit, () => undefined)
  await platform.remove(warm)
  const buildMs = performance.now() - before
  report({ text: 'waiting for its first frame', share: 1 })
  const begin = performance.now()
  const handle = await platform.ensure(request(), limit, () => undefined)
  const startMs = performance.now() - begin
  try {
    const { firstFrameMs, picture } = await watchScreen(platform, handle, settleMs, limit)
    const digest = images.digest(chain)
    const sizeBytes = (await images.list()).find((it) => it.digest === digest)?.sizeBytes ?? 0
    const proof: Proof = {
      version: template.version,
      digest,
      platform: platform.name,
      sizeBytes,
      firstFrameMs: Math.round(startMs + firstFrameMs),
      at: new Date().toISOString(),
    }
    return { proof, picture, buildMs }
  } finally {
    await platform.stop(handle, 2_000)
    await platform.remove(handle)
  }
}

/** Notes a proof in the catalog's proved.json, sorted: the catalog then shows the template as proved. */
export async function noteProof(catalog: string, id: string, proof: ProofOfAny): Promise<void> {
  const file = join(catalog, 'proved.json')
  const proofs = JSON.parse((await readIfThere(file)) ?? '{}') as Record<string, ProofOfAny>
  const sorted = Object.entries({ ...proofs, [id]: proof }).sort(([left], [right]) =>
    left.localeCompare(right),
  )
  await writeWhole(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`, 0o644)
}
