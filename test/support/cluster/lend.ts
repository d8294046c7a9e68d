/** Lets the machine of a test cluster fetch images from a registry on this machine's loopback, by the name that it has here. */
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Cluster } from '../cluster.ts'

/** `registries/<host>/hosts.toml` is asked at each fetch (containerd, "registry host configuration"). */
export async function lendRegistry(cluster: Cluster, port: number): Promise<() => Promise<void>> {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port })
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      socket.on('error', () => socket.destroy())
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, cluster.here, resolve))
  const address = server.address()
  const at = `http://${cluster.here}:${typeof address === 'object' ? address?.port : 0}`
  const folder = join(cluster.folder, 'registries', `127.0.0.1:${port}`)
  await mkdir(folder, { recursive: true })
  const lines = [`server = "${at}"`, `[host."${at}"]`, '  capabilities = ["pull", "resolve"]', '']
  await writeFile(join(folder, 'hosts.toml'), lines.join('\n'))
  return () =>
    new Promise((resolve) => {
      for (const socket of open) socket.destroy()
      server.close(() => resolve())
    })
}
