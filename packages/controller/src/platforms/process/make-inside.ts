/** Runs in an instance's network namespace for a moment: makes the sockets that are asked for and hands them to the controller. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Made, Wish } from './inside.ts'

const give = (made: Made, socket?: Socket | Server | DatagramSocket) =>
  new Promise<void>((resolve, reject) => {
    if (!process.send) throw new Error('nobody to hand it to')
    process.send(made, socket, {}, (error) => (error ? reject(error) : resolve()))
  })

const failing = (emitter: Socket | Server | DatagramSocket, reject: (error: Error) => void) =>
  void emitter.once('error', reject)

/** Not a byte is read here: what the far end says at once is for whom it is handed to. */
const connection = (port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.pause()
    failing(socket, reject)
    socket.once('connect', () => resolve(socket))
  })

const listener = (host: string, port: number) =>
  new Promise<Server>((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true })
    failing(server, reject)
    server.listen(port, host, () => resolve(server))
  })

const datagrams = () =>
  new Promise<DatagramSocket>((resolve, reject) => {
    const socket = createSocket('udp4')
    failing(socket, reject)
    socket.bind(0, '127.0.0.1', () => resolve(socket))
  })

try {
  const wish = JSON.parse(process.argv[2] ?? '') as Wish
  if ('connect' in wish) await give({ name: 'connection' }, await connection(wish.connect))
  else if ('datagrams' in wish) await give({ name: 'datagrams' }, await datagrams())
  else {
    // All or none: what could be made is closed with this process.
    const made = await Promise.all(
      Object.entries(wish.listen).map(
        async ([name, { host, port }]) => [name, await listener(host, port)] as const,
      ),
    )
    for (const [name, server] of made) await give({ name }, server)
  }
} catch (error) {
  await give({ problem: (error as NodeJS.ErrnoException).code ?? String(error) })
}
process.exit(0)
