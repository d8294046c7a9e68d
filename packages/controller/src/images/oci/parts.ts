/** Sends what an image consists of, layer by layer; only what the registry does not have. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { v7 as newId } from 'uuid'
import { describe } from '../described.ts'
import type { Images } from '../images.ts'
import { type Blob, isThere, sendBlob } from './blobs.ts'
import type { RegistryClient } from './client.ts'
import { sumOf } from './manifest.ts'
import { clearOld, knownLayer, type LayerPlace, type LayerRecord, packLayer, placesOf } from './packed.ts'
import type { Pushed } from './pushed.ts'

/** Building takes the first part of the bar, sending the rest. */
const BUILT = 0.6
const SENT = 0.98
const MEGA = 10 ** 6
const megabytes = (bytes: number) =>
  bytes < 10 * MEGA ? (bytes / MEGA).toFixed(1) : String(Math.round(bytes / MEGA))

export interface Sending {
  images: Images
  client: RegistryClient
  repository: string
  /** Sum → a repository of the registry that has it, as far as is known here. */
  lenders: ReadonlyMap<string, string>
  chain: RecipeChain
  signal: AbortSignal
  say(text: string, share: number): void
}

export interface Sent {
  config: Blob
  layers: Blob[]
  builtAt: string
  count: Pushed['blobs']
  sentBytes: number
}

export async function sendParts(it: Sending): Promise<Sent> {
  const { images, client, repository, lenders, chain, signal, say } = it
  const stage = join(images.folder, 'stage')
  const count = { sent: 0, there: 0, lent: 0 }
  let sentBytes = 0

  async function send(blob: Blob, path: string, name: string, onBytes: (bytes: number) => void) {
    const lender = lenders.get(blob.digest) ?? null
    const how = await sendBlob({ client, repository, blob, path, lender, name, onBytes, signal })
    count[how] += 1
    if (how === 'sent') sentBytes += blob.size
  }

  async function has(blob: Blob): Promise<boolean> {
    const found = await isThere({ client, repository, blob, signal })
    if (found) count.there += 1
    return found
  }

  async function bringLayer(place: LayerPlace, index: number, total: number): Promise<LayerRecord> {
    const known = await knownLayer(place)
    if (known && (await has(known))) return known
    const share = (part: number) => BUILT + ((SENT - BUILT) * (index + part)) / total
    const which = `(${index + 1} of ${total})`
    say(`Packing ${place.name} ${which}`, share(0))
    const packed = await packLayer(place, stage, signal)
    try {
      // Another machine's push may have brought the very same.
      if (known?.digest === packed.digest || !(await has(packed)))
        await send(packed, packed.path, place.name, (bytes) =>
          say(
            `Sending ${place.name} to the registry ${which}: ${megabytes(bytes)} of ${megabytes(packed.size)} MB`,
            share(bytes / packed.size),
          ),
        )
      return packed
    } finally {
      await rm(packed.path, { force: true })
    }
  }

  async function bringConfig(content: string): Promise<Blob> {
    const blob = { digest: sumOf(content), size: Buffer.byteLength(content) }
    if (await has(blob)) return blob
    const path = join(stage, `packed-${newId()}`)
    await writeFile(path, content)
    try {
      await send(blob, path, 'the description', () => undefined)
    } finally {
      await rm(path, { force: true })
    }
    return blob
  }

  const { places, record } = await placesOf(images, chain, signal, (text, share) => say(text, share * BUILT))
  await clearOld(stage)
  const layers: LayerRecord[] = []
  for (const [index, place] of places.entries()) layers.push(await bringLayer(place, index, places.length))
  const sums = layers.map((layer) => layer.sum)
  const root = places.at(-1)?.root ?? ''
  const config = await bringConfig(await describe({ chain, root, sums, created: record.builtAt }))
  return { config, layers, builtAt: record.builtAt, count, sentBytes }
}
