/** What a real sandbox runs from is told while it runs, and no longer when it has ended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instanceSpec } from '@kalnet/contracts/instance'
import { createLog } from '@kalnet/io/log'
import { expect, test } from 'vitest'
import { createProcessPlatform } from '../platforms/process/process.ts'
import { isDemanded, missing, recipeChainOf, testImages } from '../platforms/testing.ts'
import { imagesInUse } from './in-use.ts'

const lacks = process.getuid?.() === 0 ? await missing(['bwrap', 'mmdebstrap', 'flock']) : 'root'
const LIMIT_MS = 15 * 60_000

if (lacks && !isDemanded) test.skip(`the image of a running sandbox is in use: ${lacks} is missing`)
else
  test(
    '[TPL-4.in-use] the image of a running sandbox is in use until it ends',
    async () => {
      const home = mkdtempSync(join(tmpdir(), 'kalnet-in-use-'))
      const folders = { data: join(home, 'data'), runtime: join(home, 'run'), config: join(home, 'config') }
      const images = testImages()
      const chain = recipeChainOf('terminal')
      const platform = createProcessPlatform({ folders, images, log: createLog('in-use', 'warn') })
      const spec = instanceSpec.parse({
        image: { recipe: chain },
        command: ['sleep', '600'],
        network: 'none',
      })
      const ids = {
        instanceId: '01900000-0000-7000-8000-000000000001',
        organisationId: '01900000-0000-7000-8000-000000000002',
      }
      const never = new AbortController().signal
      try {
        const handle = await platform.ensure({ ...ids, generation: 1, spec }, never, () => undefined)
        expect(await imagesInUse(folders)).toEqual({ digests: new Set([images.digest(chain)]), unknown: [] })
        await platform.stop(handle, 0)
        expect((await imagesInUse(folders)).digests.size).toBe(0)
        await platform.remove(handle)
      } finally {
        for (const left of await platform.list()) await platform.remove(left)
        rmSync(home, { recursive: true, force: true })
      }
    },
    LIMIT_MS,
  )
