/** What was pushed where, on disk: a later call asks one question only, and `kalnet images list` shows it. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { z } from 'zod'
import type { ImageRegistry } from './settings.ts'

const pushRecord = z.object({
  /** Of the recipe chain. */
  image: z.string(),
  name: z.string(),
  reference: z.string(),
  tagged: z.string(),
  digest: z.string(),
  /** When the root was built that was pushed; null: somebody else pushed it. */
  builtAt: z.string().nullable(),
  repository: z.string(),
  /** What it consists of: other repositories of the registry may be lent these. */
  blobs: z.array(z.string()),
  pushedAt: z.string(),
})
export type PushRecord = z.infer<typeof pushRecord>

export interface RememberedPushes {
  read(registry: ImageRegistry, image: string): Promise<PushRecord | null>
  write(registry: ImageRegistry, record: PushRecord): Promise<void>
  /** Of one registry, or of all. */
  list(registry?: ImageRegistry): Promise<PushRecord[]>
}

export function rememberPushes(imagesFolder: string): RememberedPushes {
  const folder = join(imagesFolder, 'pushed')
  const placeOf = ({ url, repositoryPrefix }: ImageRegistry) =>
    createHash('sha256')
      .update(`${new URL(url).origin} ${repositoryPrefix}`)
      .digest('hex')
      .slice(0, 20)

  async function readFile(path: string): Promise<PushRecord | null> {
    const text = await readIfThere(path)
    // Of another version, or damaged: it is pushed once more then.
    return (text && parse(text)) || null
  }
  const names = (path: string) =>
    readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })

  return {
    read: (registry, image) => readFile(join(folder, placeOf(registry), `${image}.json`)),
    write: (registry, record) =>
      writeWhole(join(folder, placeOf(registry), `${record.image}.json`), `${JSON.stringify(record)}\n`),
    async list(registry) {
      const places = registry ? [placeOf(registry)] : await names(folder)
      const found: PushRecord[] = []
      for (const place of places)
        for (const name of await names(join(folder, place))) {
          const record = await readFile(join(folder, place, name))
          if (record) found.push(record)
        }
      return found.sort((left, right) => (left.reference < right.reference ? -1 : 1))
    },
  }
}

function parse(text: string): PushRecord | undefined {
  try {
    return pushRecord.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
