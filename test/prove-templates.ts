/**
 * Proves templates: builds the image, starts an instance, waits until its program has drawn, keeps the picture, and notes
 * version, size and times in catalog/proved.json. `node test/prove-templates.ts [--platform docker] [template…]`
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { PlatformName } from '@kalnet/contracts/instance'
import { chainOf } from '@kalnet/contracts/recipe'
import type { Template } from '@kalnet/contracts/template'
import { createImages, type Images } from '@kalnet/controller/images/images'
import type { Handle, Platform } from '@kalnet/controller/platforms/platform'
import { createPlatforms } from '@kalnet/controller/platforms/registry'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { createLog } from '@kalnet/io/log'
import { resolveTemplate } from '@kalnet/server/catalog/resolve'
import { type CatalogFiles, readCatalog } from '@kalnet/server/catalog/source'
import { encodePng, type Picture } from '@kalnet/wire/png'
import { openScreen } from '@kalnet/wire/rfb-screen'
import { v7 as newId } from 'uuid'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const CATALOG = join(ROOT, 'catalog')
const PICTURES = join(ROOT, 'test', 'results', 'pictures', 'templates')
/** An empty screen has a background and a pointer; a program has more. */
const DRAWN_COLOURS = 12
const DRAWN_SHARE = 0.01
const FRAME_LIMIT_MS = 60_000
/** After the first frame: time to finish drawing, so that the kept picture shows the program as people see it. */
const SETTLE_MS = 6_000
const LOOK_MS = 40

export interface Proof {
  version: string
  digest: string
  platform: PlatformName
  /** The whole image with all its layers. */
  sizeBytes: number
  /** From the order to start, image there, to the first picture with something on it. */
  firstFrameMs: number
  at: string
}

/** Whether a program has drawn: several colours, and more than a pointer on the black that a screen begins with. */
export function isDrawn(picture: Picture): boolean {
  const counts = new Map<number, number>()
  for (let at = 0; at + 4 <= picture.pixels.length; at += 4) {
    const colour = picture.pixels.readUInt32LE(at) & 0xffffff
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const isBlack = (counts.get(0) ?? 0) > (1 - DRAWN_SHARE) * picture.width * picture.height
  return counts.size >= DRAWN_COLOURS && !isBlack
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Takes pictures until one shows the program; a display that does not answer yet is asked again. */
async function watchScreen(platform: Platform, handle: Handle, settleMs: number) {
  const begin = performance.now()
  const limit = AbortSignal.timeout(FRAME_LIMIT_MS)
  for (;;) {
    limit.throwIfAborted()
    const seen = await platform.observe(handle)
    if (seen.state !== 'running')
      throw new Error(`it ended: ${JSON.stringify(seen)}\n${(await platform.logs(handle, 15)).join('\n')}`)
    const stream = await platform.dial(handle, 'display', limit).catch(() => null)
    if (!stream) {
      await pause(LOOK_MS / 2)
      continue
    }
    const screen = await openScreen(stream, { signal: limit })
    try {
      while (!isDrawn(await screen.grab())) await pause(LOOK_MS)
      const firstFrameMs = performance.now() - begin
      await pause(settleMs)
      return { firstFrameMs, picture: await screen.grab() }
    } finally {
      screen.close()
    }
  }
}

export interface Bench {
  images: Images
  platform: Platform
  files: CatalogFiles
}

/** One template on one platform; the instance is taken away again. */
export async function proveTemplate(
  { images, platform, files }: Bench,
  template: Template,
  settleMs = SETTLE_MS,
): Promise<{ proof: Proof; picture: Picture; buildMs: number }> {
  if (!('recipe' in template.image)) throw new Error('only templates of our own recipes are proved')
  const chain = chainOf(template.image.recipe, files.recipes)
  const signal = AbortSignal.timeout(45 * 60_000)
  const before = performance.now()
  await images.ensureRoot(chain, signal, () => undefined)
  const spec = resolveTemplate(template, {}, chain)
  const organisationId = newId()
  const request = () => ({ instanceId: newId(), generation: 1, organisationId, spec })
  // Once for the engine to take the image in: the proof is about a warm one.
  const warm = await platform.ensure(request(), signal, () => undefined)
  await platform.remove(warm)
  const buildMs = performance.now() - before
  const begin = performance.now()
  const handle = await platform.ensure(request(), signal, () => undefined)
  const startMs = performance.now() - begin
  try {
    const { firstFrameMs, picture } = await watchScreen(platform, handle, settleMs)
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

export async function openBench(which: PlatformName) {
  const cache = process.env.KALNET_TEST_CACHE ?? `/var/tmp/kalnet-test-${process.getuid?.()}`
  const home = await mkdtemp(join(tmpdir(), 'kalnet-prove-'))
  const log = createLog('prove', 'warn')
  const images = createImages({ folder: join(cache, 'images'), log })
  const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
  const [platform] = createPlatforms({ folders, images, log, which: [which] })
  if (!platform) throw new Error(`there is no platform ${which}`)
  const close = () => rm(home, { recursive: true, force: true })
  return { images, platform, files: await readCatalog(CATALOG), close }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { platform: { type: 'string', default: 'process' } },
  })
  const bench = await openBench(values.platform as PlatformName)
  const wanted = bench.files.templates
    .map(({ template }) => template)
    .filter(({ id }) => positionals.length === 0 || positionals.includes(id))
  const file = join(CATALOG, 'proved.json')
  const proofs = JSON.parse((await readIfThere(file)) ?? '{}') as Record<string, Proof>
  await mkdir(PICTURES, { recursive: true })
  console.log(`${'template'.padEnd(14)}${'MB'.padStart(6)}${'build s'.padStart(9)}${'frame ms'.padStart(10)}`)
  try {
    for (const template of wanted) {
      const { proof, picture, buildMs } = await proveTemplate(bench, template)
      await writeFile(join(PICTURES, `${template.id}.png`), encodePng(picture))
      proofs[template.id] = proof
      const sorted = Object.fromEntries(
        Object.entries(proofs).sort(([left], [right]) => left.localeCompare(right)),
      )
      await writeWhole(file, `${JSON.stringify(sorted, null, 2)}\n`, 0o644)
      const megabytes = String(Math.round(proof.sizeBytes / 1e6))
      const seconds = (buildMs / 1000).toFixed(1)
      console.log(
        `${template.id.padEnd(14)}${megabytes.padStart(6)}${seconds.padStart(9)}${String(proof.firstFrameMs).padStart(10)}`,
      )
    }
  } finally {
    await bench.close()
  }
}

if (import.meta.main) await main()
