/** In a machine of its own: `serve <port>…` takes TCP connections there; `knock <from> <host> <port>…` prints which of them were taken. */
import { connect, createServer } from 'node:net'

const [what = '', ...words] = process.argv.slice(2)
if (what === 'serve') {
  for (const port of words) createServer((socket) => socket.end('hello')).listen(Number(port), '0.0.0.0')
  console.log('ready')
} else {
  const [localAddress = '', host = '', ...ports] = words
  const taken = await Promise.all(
    ports.map(
      (port) =>
        new Promise<string | null>((resolve) => {
          const socket = connect({ host, port: Number(port), localAddress, timeout: 1_500 })
          const end = (answer: string | null) => {
            socket.destroy()
            resolve(answer)
          }
          socket.once('data', () => end(port))
          socket.once('timeout', () => end(null))
          socket.once('error', () => end(null))
        }),
    ),
  )
  console.log(JSON.stringify(taken.filter((port) => port !== null)))
}
