/** A connection to a TCP port on an instance's own loopback, which no route of this machine leads to: by a small process in its network namespace. */
import { Duplex, type Readable, type Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { start } from '@kalnet/io/spawn'

const BRIDGE = fileURLToPath(new URL('./tcp-bridge.ts', import.meta.url))

/** Not Duplex.from: that throws away what was received when the other direction breaks. */
function joined(into: Writable, from: Readable): Duplex {
  const stream = new Duplex({
    read: () => void from.resume(),
    write: (chunk, _encoding, done) => void into.write(chunk, () => done()),
    final: (done) => void into.end(() => done()),
  })
  // What the far end no longer takes is lost, as with any connection; the end of `from` tells that it is over.
  into.on('error', () => undefined)
  from.on('data', (chunk) => {
    if (!stream.push(chunk)) from.pause()
  })
  from.once('end', () => stream.push(null))
  return stream
}

export interface TcpTarget {
  /** A process in the network. */
  pid: number
  /** As an ordinary user the network is entered together with the user namespace that owns it. */
  withUser: boolean
}

export function dialTcp(target: TcpTarget, port: number, signal: AbortSignal): Promise<Duplex> {
  const user = target.withUser ? ['--user', '--preserve-credentials'] : []
  const enter = ['--target', String(target.pid), '--net', ...user]
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
      const stream = joined(stdin, stdout)
      stream.once('close', () => child.kill('SIGKILL'))
      resolve(stream)
    })
  })
}
