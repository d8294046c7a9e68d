/**
 * In a machine of its own: `serve <host> <http> <tcp> <udp>` answers at these ports; `ask <what as JSON> <milliseconds>` asks, all at once, and prints what came:
 * for http and https the status and the page, for tcp and udp the echo, for https that was not spoken `refused`, and null for silence.
 */
import { createSocket } from 'node:dgram'
import { createServer, request } from 'node:http'
import { connect, isIPv6, createServer as listen } from 'node:net'
import { connect as connectSecure } from 'node:tls'

export interface Question {
  kind: 'http' | 'https' | 'tcp' | 'udp'
  from: string
  to: string
  port: number
  host?: string
  path?: string
}
export type Heard = { status: number; text: string } | string | null
const [what, ...words] = process.argv.slice(2)
/** Silence is as long as whoever asks says. */
const LIMIT_MS = what === 'ask' ? Number(words[1]) : 0

function overHttp({ kind, from, to, port, host = '', path = '/' }: Question): Promise<Heard> {
  return new Promise((resolve) => {
    const plain = connect({ host: to, port, localAddress: from, timeout: LIMIT_MS })
    const socket =
      kind === 'https'
        ? connectSecure({
            socket: plain,
            servername: host,
            rejectUnauthorized: false,
            ALPNProtocols: ['http/1.1'],
          })
        : plain
    for (const it of [plain, socket]) {
      it.on('error', () => resolve(kind === 'https' ? 'refused' : null))
      it.on('timeout', () => resolve(null))
    }
    const out = request(
      { createConnection: () => socket, path, headers: { host, accept: 'text/html' } },
      (answer) => {
        let text = ''
        answer.on('data', (piece) => {
          text += piece
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      },
    )
    out.on('error', () => resolve(kind === 'https' ? 'refused' : null))
    out.end()
  })
}
const overTcp = ({ from, to, port }: Question): Promise<Heard> =>
  new Promise((resolve) => {
    const socket = connect({ host: to, port, localAddress: from, timeout: LIMIT_MS }, () =>
      socket.write('hello'),
    )
    socket.on('data', (said) => resolve(String(said)))
    for (const end of ['timeout', 'close', 'error']) socket.on(end, () => resolve(null))
  })
const overUdp = ({ from, to, port }: Question): Promise<Heard> =>
  new Promise((resolve) => {
    const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4')
    socket.on('message', (said) => resolve(String(said)))
    socket.on('error', () => resolve(null))
    socket.bind({ address: from }, () => socket.send('hello', port, to))
    setTimeout(() => resolve(null), LIMIT_MS)
  })
const ASK = { http: overHttp, https: overHttp, tcp: overTcp, udp: overUdp }

if (what === 'serve') {
  const [host = '', http, tcp, udp] = words
  createServer((asked, answer) => answer.end(`the service at ${asked.url}`)).listen(Number(http), host)
  listen((socket) => void socket.on('error', () => undefined).pipe(socket)).listen(Number(tcp), host)
  const socket = createSocket('udp4')
  socket.on('message', (said, from) => socket.send(said, from.port, from.address))
  socket.bind(Number(udp), host, () => console.log('ready'))
}
if (what === 'ask') {
  const questions = JSON.parse(words[0] ?? '[]') as Question[]
  const heard = await Promise.all(questions.map((it) => ASK[it.kind](it)))
  process.stdout.write(JSON.stringify(heard), () => process.exit(0))
}
