/** How an image of ours says what it is, alike for an engine and for a registry. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import { digestOf } from '@kalnet/io/image-digest'

/** Nanoseconds, as engines count. */
const SECOND = 1_000_000_000

export const architecture = (): string => (process.arch === 'x64' ? 'amd64' : process.arch)

/** What an engine calls the image of a chain. */
export const referenceOf = (chain: RecipeChain): string =>
  `kalnet/${chain.at(-1)?.name}:${digestOf(chain).slice(0, 20)}`

interface Described {
  chain: RecipeChain
  root: string
  /** Sums of the layers as they are before they are compressed, base first. */
  sums: string[]
  /** When its root was built; an engine is not told. */
  created?: string
}

/** The image's configuration, as text: its sum is its name. */
export async function describe({ chain, root, sums, created }: Described): Promise<string> {
  const isChecked = await stat(join(root, 'usr/lib/kalnet/healthy')).catch(() => null)
  return JSON.stringify({
    ...(created && { created }),
    architecture: architecture(),
    os: 'linux',
    config: {
      User: '1000:1000',
      WorkingDir: '/home/user',
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/home/user', 'LANG=C.UTF-8'],
      Labels: { 'io.kalnet.image': digestOf(chain) },
      ...(isChecked && {
        Healthcheck: {
          Test: ['CMD', '/usr/lib/kalnet/healthy'],
          Interval: 30 * SECOND,
          Timeout: 5 * SECOND,
          StartPeriod: 10 * SECOND,
          Retries: 3,
        },
      }),
    },
    rootfs: { type: 'layers', diff_ids: sums },
  })
}
