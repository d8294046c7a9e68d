/** The process platform as root: real sandboxes on a real root file system. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import { test } from 'vitest'
import { describePlatform } from '../conformance.ts'
import { isDemanded, missing, openOutside, recipeChainOf, testImages } from '../testing.ts'
import { createProcessPlatform } from './process.ts'

const lacks =
  process.getuid?.() === 0
    ? await missing(['bwrap', 'mmdebstrap', 'setpriv', 'ip', 'iptables'])
    : 'root (this is an ordinary user)'

if (lacks && !isDemanded) test.skip(`the process platform as root: ${lacks} is missing`)
else {
  const chain = recipeChainOf('terminal')
  describePlatform('process (root)', {
    isReal: true,
    image: { recipe: chain },
    async open() {
      // 0700 and owned by root, as in real life: the sessions' own users cannot walk through it.
      const home = mkdtempSync(join(tmpdir(), 'kalnet-process-'))
      const folders: Folders = {
        data: join(home, 'data'),
        runtime: join(home, 'run'),
        config: join(home, 'config'),
      }
      const images = testImages()
      await images.ensureRoot(chain, new AbortController().signal, () => undefined)
      const log = createLog('process', 'warn')
      const outside = await openOutside()
      const platform = createProcessPlatform({ folders, images, log })
      return {
        platform,
        again: async () => createProcessPlatform({ folders, images, log }),
        async close() {
          for (const handle of await platform.list()) await platform.remove(handle)
          await outside.close()
          rmSync(home, { recursive: true, force: true })
        },
        limits: true,
        network: true,
        outside,
      }
    },
  })
}
