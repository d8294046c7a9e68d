/** A connection to a TCP port on an instance's own loopback, which no route of this machine leads to: by a small process in its network namespace. */
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { start } from '@kalnet/io/spawn'
import type { ProcessId } from './state.ts'

const BRIDGE = fileURLToPath(new URL('./tcp-bridge.ts', import.meta.url))

export function dialTcp(
  inner: ProcessId,
  port: number,
  isRoot: boolean,
  signal: AbortSignal,
): Promise<Duplex> {
  // An ordinary user may enter the network only together with the user namespace that owns it.
  const enter = [
    '--target',
    String(inner.pid),
    '--net',
    ...(isRoot ? [] : ['--user', '--preserve-credentials']),
  ]
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const child = start('nsenter', [...enter, '--', process.execPath, BRIDGE, String(port)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {},
    })
    const { stdin, stdout, stderr } = child
    if (!stdin || !stdout || !stderr) return reject(new Error('no streams'))
    const stop = () => {
      child.kill('SIGKILL')
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    child.once('error', reject)
    child.once('exit', () => reject(new Error('nothing listens there')))
    let said = ''
    stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8')
      if (!said.startsWith('connected')) return
      signal.removeEventListener('abort', stop)
      const stream = Duplex.from({ writable: stdin, readable: stdout })
      stream.once('close', () => child.kill('SIGKILL'))
      resolve(stream)
    })
  })
}
