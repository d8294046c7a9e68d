/** The process platform as an ordinary user: the same suite, in user namespaces, with pasta for the network. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describePlatform } from '../conformance.ts'
import { isDemanded, missing, openOutside, recipeChainOf, testImages } from '../testing.ts'
import { startUserHost, type UserHost } from './testing-user.ts'

const lacks =
  process.getuid?.() === 0
    ? await missing(['bwrap', 'mmdebstrap', 'setpriv', 'ip', 'pasta'])
    : 'root (it plays the ordinary user)'

if (lacks && !isDemanded) test.skip(`the process platform as an ordinary user: ${lacks} is missing`)
else {
  const chain = recipeChainOf('terminal')
  const hosts: UserHost[] = []
  describePlatform('process (ordinary user)', {
    isReal: true,
    image: { recipe: chain },
    async open() {
      const scratch = mkdtempSync(join('/var/tmp', 'kalnet-user-'))
      const root = await testImages().ensureRoot(chain, new AbortController().signal, () => undefined)
      const outside = await openOutside()
      const open = () => {
        const host = startUserHost({ scratch, root })
        hosts.push(host)
        return host
      }
      const first = open()
      const fingerprint = await first.fingerprint()
      return {
        platform: first.platform,
        again: async () => open().platform,
        async close() {
          for (const handle of await first.platform.list()) await first.platform.remove(handle)
          for (const host of hosts) host.close()
          await outside.close()
          rmSync(scratch, { recursive: true, force: true })
        },
        limits: fingerprint.limits,
        network: fingerprint.network,
        outside,
        local: 'sockets',
        exec: false,
      }
    },
  })

  test('[CTL-2.says-isolation] it says that sessions share the account, and how to get better', async () => {
    const scratch = mkdtempSync(join('/var/tmp', 'kalnet-user-'))
    const host = startUserHost({ scratch, root: '/' })
    try {
      const fingerprint = await host.fingerprint()
      expect(fingerprint).toMatchObject({ usable: true, isolation: 'userns', network: true })
      expect(fingerprint.detail).toMatch(/as root/)
    } finally {
      host.close()
      rmSync(scratch, { recursive: true, force: true })
    }
  }, 30_000)
}
