/** Upstreams for tests: one that answers what it heard, and one that writes down every byte. */
import {
  request as ask,
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { portOf } from './bench.ts'

export interface Heard {
  port: number
  server: Server
  close(): Promise<void>
}
/** Answers with `listener`. */
export async function startUpstream(listener: RequestListener): Promise<Heard> {
  const server = createHttp(listener)
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: portOf(server),
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
/** Answers with the request it got, as JSON. */
export const echo: RequestListener = (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (chunk: Buffer) => parts.push(chunk))
  request.on('end', () => {
    const { method, url, rawHeaders, rawTrailers } = request
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ method, url, rawHeaders, rawTrailers, body: Buffer.concat(parts).toString('utf8') }),
    )
  })
}

export interface Recorder {
  port: number
  /** All bytes of each connection so far. */
  connections: Buffer[]
  close(): Promise<void>
}
/** Writes down what comes, and answers each head it sees with `answer`. */
export async function startRecorder(
  answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
): Promise<Recorder> {
  const connections: Buffer[] = []
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    const mine = connections.push(Buffer.alloc(0)) - 1
    open.add(socket)
    let answered = 0
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      const all = Buffer.concat([connections[mine] ?? Buffer.alloc(0), chunk])
      connections[mine] = all
      const heads = all.toString('latin1').split('\r\n\r\n').length - 1
      for (; answered < Math.min(1, heads); answered += 1) socket.write(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: portOf(server),
    connections,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

export interface Answered {
  status: number
  headers: IncomingMessage['headers']
  raw: string[]
  trailers: IncomingMessage['trailers']
  text: string
}
export interface Asking {
  port: number
  host?: string
  path?: string
  method?: string
  headers?: Record<string, string | string[]>
  body?: string | Buffer
}
/** One request on a connection of its own. */
export function asking({
  port,
  host = 'photos.localhost',
  path = '/',
  method = 'GET',
  headers = {},
  body,
}: Asking): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const out = ask(
      { host: '127.0.0.1', port, path, method, headers: { host, ...headers }, agent: false },
      (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (chunk: Buffer) => parts.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            raw: answer.rawHeaders,
            trailers: answer.trailers,
            text: Buffer.concat(parts).toString('utf8'),
          }),
        )
      },
    )
    out.on('error', reject)
    out.end(body)
  })
}
/** The longest wait for a first answer. */
const FIRST_MS = 3_000
/** Sends bytes as they are; what came back until the other side closed, or nothing more came for `quietMs`. */
export function rawly(port: number, bytes: string | Buffer, quietMs = 60): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let got = ''
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(got)
    }
    let timer = setTimeout(done, FIRST_MS)
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1')
      clearTimeout(timer)
      timer = setTimeout(done, quietMs)
    })
    socket.on('error', done)
    socket.on('close', done)
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}
