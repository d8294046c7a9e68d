/** For tests run by root: the process platform of an ordinary user, as a platform like any other. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Fingerprint } from '@kalnet/contracts/controller'
import type { Address } from '@kalnet/contracts/instance'
import { start } from '@kalnet/io/spawn'
import { createAnnouncer } from '../announce.ts'
import { connected } from '../dial-unix.ts'
import type { Handle, MeasuredVolume, Observation, Platform, Used } from '../platform.ts'
import { repository } from '../testing.ts'
import type { Question, Reply } from './testing-host.ts'

/** Nobody on this machine has this number. */
const USER = 64_533

export interface UserHost {
  platform: Platform
  fingerprint(): Promise<Fingerprint>
  close(): void
}

/** `scratch` must be a folder that everybody may enter. */
export function startUserHost(options: { scratch: string; root: string }): UserHost {
  const { scratch, root } = options
  const home = join(scratch, 'home')
  mkdirSync(home, { recursive: true })
  chmodSync(scratch, 0o755)
  chownSync(home, USER, USER)
  const own = relative(repository, process.execPath)
  const node = own.startsWith('..') ? process.execPath : join(scratch, 'repository', own)
  const script = fileURLToPath(new URL('./testing-user.sh', import.meta.url))
  const host = relative(repository, fileURLToPath(new URL('./testing-host.ts', import.meta.url)))
  const arguments_ = [script, repository, scratch, String(USER), node, host, root]
  const child = start('unshare', ['--mount', '--propagation', 'private', '--', 'sh', ...arguments_], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: home, KALNET_HOME: home },
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const changes = createAnnouncer<{ instanceId: string; generation: number }>()
  const takers = new Map<number, (name: string, stream: Duplex) => void>()
  let last = 0
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the host has ended'))
  })
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const reply = JSON.parse(line) as Reply
    if ('change' in reply) return changes.say(reply.change)
    if ('taken' in reply) {
      const { listening, name, path } = reply.taken
      return takers.get(listening)?.(name, connect({ path }))
    }
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('problem' in reply) asked?.reject(new Error(reply.problem))
    else asked?.resolve(reply.value)
  })
  /** What the host answers is what its platform answered: its types are trusted. */
  const ask = <T>(question: Question): Promise<T> =>
    new Promise((resolve, reject) => {
      last += 1
      waiting.set(last, { resolve: (value) => resolve(value as T), reject })
      child.stdin?.write(`${JSON.stringify({ id: last, ...question })}\n`)
    })

  return {
    fingerprint: () => ask<Fingerprint>({ operation: 'fingerprint' }),
    close: () => void child.kill('SIGKILL'),
    platform: {
      name: 'process',
      async *fingerprint() {
        yield await ask<Fingerprint>({ operation: 'fingerprint' })
      },
      ensure: (request) => ask<Handle>({ operation: 'ensure', request }),
      observe: (handle) => ask<Observation>({ operation: 'observe', handle }),
      stop: (handle, graceMs) => ask<void>({ operation: 'stop', handle, graceMs }),
      remove: (handle) => ask<void>({ operation: 'remove', handle }),
      list: () => ask<Handle[]>({ operation: 'list' }),
      changes: (signal) => changes.listen(signal),
      logs: (handle, lines) => ask<string[]>({ operation: 'logs', handle, lines }),
      addresses: (handle) => ask<Record<string, Address>>({ operation: 'addresses', handle }),
      place: (handle, folder, files) => ask<void>({ operation: 'place', handle, folder, files }),
      use: (handles) => ask<Used>({ operation: 'use', handles: [...handles] }),
      measureVolume: (volumeId) => ask<MeasuredVolume | null>({ operation: 'measureVolume', volumeId }),
      removeVolume: (volumeId) => ask<void>({ operation: 'removeVolume', volumeId }),
      async listenInside(handle, places, take, signal) {
        const listening = takers.size
        takers.set(listening, take)
        await ask<void>({ operation: 'listen', handle, places, listening })
        signal.addEventListener('abort', () => void ask<void>({ operation: 'endListening', listening }), {
          once: true,
        })
      },
      async dialDatagrams(handle, port, signal) {
        const path = await ask<string>({ operation: 'datagrams', handle, port })
        const stream = await connected(connect({ path }), signal)
        const lines = createInterface({ input: stream })
        signal.addEventListener('abort', () => void stream.destroy(), { once: true })
        return {
          send: (payload) => void stream.write(`${payload.toString('base64')}\n`),
          onMessage: (listener) => void lines.on('line', (line) => listener(Buffer.from(line, 'base64'))),
          close: () => void stream.destroy(),
        }
      },
      async dial(handle, port, signal) {
        const path = await ask<string>({ operation: 'dial', handle, port })
        return connected(connect({ path }), signal)
      },
    },
  }
}
