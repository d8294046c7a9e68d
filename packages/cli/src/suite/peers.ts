/** Brings the real programs that tests run against: each file of test/peers is one, behind a stamp in a cache outside the tree. */
import { mkdir, readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Output } from '../output.ts'
import { failed } from '../problem.ts'

export interface PeerContext {
  env: NodeJS.ProcessEnv
  /** Survives the run; a peer keeps its stamps and downloads here. */
  cache: string
  signal: AbortSignal
  say(detail: string): void
}
export interface Peer {
  name: string
  /** What tests with it prove, for the list of what was skipped. */
  proves: string
  /** Makes sure that it is there (and runs, where it must). Idempotent; throws when it cannot. */
  ensure(context: PeerContext): Promise<void>
}

export const peerCache = (env: NodeJS.ProcessEnv, uid = process.getuid?.() ?? 0): string =>
  env.KALNET_PEER_CACHE ??
  (uid === 0 ? '/var/cache/kalnet-peers' : join(env.HOME ?? homedir(), '.cache/kalnet-peers'))

interface Given {
  root: string
  env: NodeJS.ProcessEnv
  output: Output
  signal: AbortSignal
}

export async function preparePeers({ root, env, output, signal }: Given): Promise<void> {
  const cache = peerCache(env)
  await mkdir(cache, { recursive: true })
  const folder = join(root, 'test/peers')
  const names = (await readdir(folder))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .sort()
  for (const name of names) {
    const { peer } = (await import(pathToFileURL(join(folder, name)).href)) as { peer?: Peer }
    if (!peer) continue
    try {
      await output.step(`Preparing ${peer.name}`, (say) => peer.ensure({ env, cache, signal, say }))
    } catch (error) {
      throw failed(
        `${peer.name} could not be prepared: ${error instanceof Error ? error.message : String(error)}`,
        `Without it nothing proves: ${peer.proves}`,
        error,
      )
    }
  }
}
