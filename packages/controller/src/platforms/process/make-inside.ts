/**
 * Runs in an instance's network namespace while the controller wishes for something there: makes sockets and hands them over.
 * It ends with the controller, or when that has no more wishes.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Answer, Wish } from './maker.ts'

function give(answer: Answer, socket?: Socket | Server | DatagramSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send) throw new Error('nobody to hand it to')
    process.send(answer, socket, {}, (error) => (error ? reject(error) : resolve()))
  })
}

const once = <T extends Socket | Server | DatagramSocket>(
  it: T,
  begin: (done: () => void) => void,
): Promise<T> =>
  new Promise((resolve, reject) => {
    it.once('error', reject)
    begin(() => resolve(it))
  })

/** Not a byte is read here: what the far end says at once is for whom it is handed to. */
function connection(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.pause()
  return once(socket, (done) => socket.once('connect', done))
}

function datagrams(): Promise<DatagramSocket> {
  const socket = createSocket('udp4')
  return once(socket, (done) => socket.bind(0, '127.0.0.1', done))
}

/** All or none. */
async function listeners(places: Wish & { kind: 'listen' }): Promise<[name: string, server: Server][]> {
  const all = Object.entries(places.places).map(async ([name, { host, port }]) => {
    const server = createServer()
    await once(server, (done) => server.listen(port, host, done))
    return [name, server] as [string, Server]
  })
  const settled = await Promise.allSettled(all)
  const made = settled.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []))
  const failed = settled.find((it) => it.status === 'rejected')
  if (!failed) return made
  for (const [, server] of made) server.close()
  throw failed.reason
}

async function grant(id: number, wish: Wish): Promise<void> {
  switch (wish.kind) {
    case 'connect':
      return give({ id, name: 'connection' }, await connection(wish.port))
    case 'datagrams': {
      const socket = await datagrams()
      await give({ id, name: 'datagrams' }, socket)
      return void socket.close()
    }
    case 'listen':
      for (const [name, server] of await listeners(wish)) {
        await give({ id, name }, server)
        // The controller's own end of it lives on.
        server.close()
      }
  }
}

process.on('message', ({ id, wish }: { id: number; wish: Wish }) => {
  grant(id, wish).catch((error: NodeJS.ErrnoException) => give({ id, problem: error.code ?? error.message }))
})
process.once('disconnect', () => process.exit(0))
