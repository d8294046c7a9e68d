/** A registry of this machine as a house has one: reached by the cluster's machine and pods over TLS, by an authority of one's own, with images of recipes in it. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { cli } from '@kalnet/cli/testing'
import { testImages } from '@kalnet/controller/platforms/testing'
import { ensureTls } from '@kalnet/server/core/tls'
import { startImageRegistry } from '../support/image-registry.ts'
import type { Installation } from './installation.ts'

export interface LentRegistry {
  /** As machines and pods of the cluster call it. */
  url: string
  authority: string
  /** `kalnet images push` from here. */
  push(...recipes: string[]): Promise<void>
  close(): Promise<void>
}

export async function lendRegistry(it: Installation): Promise<LentRegistry> {
  const { cluster, folder, address } = it
  const registry = await startImageRegistry(join(folder, 'registry'))
  const { key, certificate, authority } = await ensureTls(join(folder, 'registry-tls'), [address])
  const server = createServer({ key, cert: certificate }, (near) => {
    const far = connect({ host: '127.0.0.1', port: registry.port })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const host = `${address}:${(server.address() as AddressInfo).port}`
  const its = join(cluster.folder, 'registries', host)
  await mkdir(its, { recursive: true })
  const file = join(its, 'authority.crt')
  await writeFile(file, authority)
  const lines = [
    `server = "https://${host}"`,
    `[host."https://${host}"]`,
    '  capabilities = ["pull", "resolve"]',
  ]
  await writeFile(join(its, 'hosts.toml'), [...lines, `  ca = "${file}"`, ''].join('\n'))
  return {
    url: `https://${host}`,
    authority,
    async push(...recipes) {
      const home = join(folder, 'home')
      await mkdir(join(home, 'data'), { recursive: true })
      await symlink(testImages().folder, join(home, 'data/images')).catch(() => undefined)
      const { code, err } = await cli(
        home,
        'images',
        'push',
        ...recipes,
        '--registry',
        `${registry.url}/kalnet`,
      )
      if (code !== 0) throw new Error(err)
    },
    async close() {
      server.close()
      await registry.kill()
    },
  }
}
