/** The manifest: what an image consists of, by sums. Made alike from the same layers, and judged when a registry shows one. */
import { createHash } from 'node:crypto'
import type { Answer } from '@kalnet/io/outbound'
import { z } from 'zod'
import { architecture } from '../described.ts'
import type { Blob } from './blobs.ts'
import { parseJson } from './challenge.ts'

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json'
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip'
/** Which recipe it was built from: 64 hexadecimal digits. */
const IMAGE = 'io.kalnet.image'

export const sumOf = (content: string | Buffer): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`

/** The same on every machine for the same recipe; machines of another kind have their own. */
export const tagOf = (image: string): string => `${image.slice(0, 20)}-${architecture()}`

interface Parts {
  image: string
  name: string
  builtAt: string
  config: Blob
  layers: Blob[]
}

export function makeManifest({ image, name, builtAt, config, layers }: Parts): string {
  const described = (mediaType: string, { digest, size }: Blob) => ({ mediaType, digest, size })
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: described(CONFIG_TYPE, config),
    layers: layers.map((layer) => described(LAYER_TYPE, layer)),
    annotations: {
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.created': builtAt,
      [IMAGE]: image,
    },
  })
}

const blob = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number() })
const manifest = z.object({
  mediaType: z.literal(MANIFEST_TYPE),
  config: blob,
  layers: z.array(blob).min(1).max(100),
  annotations: z.looseObject({ [IMAGE]: z.string() }),
})

/** What a registry shows under our tag; null when that is something else than the image of this recipe. */
export function readManifest(answer: Answer, image: string): { digest: string; blobs: string[] } | null {
  const parsed = manifest.safeParse(parseJson(answer.body))
  if (!parsed.success || parsed.data.annotations[IMAGE] !== image) return null
  const { config, layers } = parsed.data
  return { digest: sumOf(answer.body), blobs: [config.digest, ...layers.map((layer) => layer.digest)] }
}
