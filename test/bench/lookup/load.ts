/** Whoever looks up, one question after the other on each connection, with as little of its own as can be: sockets and a clock. */
import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { encode } from 'dns-packet'
import { answer } from '../stream/processes.ts'

interface Request {
  http?: { port: number; authorization?: string; cookie?: string; connections: number }
  dns?: { port: number; type: 'A' | 'SRV' }
  services: number
  count: number
  /** Until an answer has this word in it; how many ms that took from now. */
  until?: { name: string; word: string; port: number; authorization: string }
}
const nameOf = (services: number) => `service-${1 + Math.floor(Math.random() * services)}`

/** Reads one answer after the other by its length. */
function reader(socket: Socket): () => Promise<string> {
  let held = ''
  let wake: (() => void) | null = null
  socket.setEncoding('latin1')
  socket.on('data', (piece: string) => {
    held += piece
    wake?.()
  })
  return async () => {
    for (;;) {
      const end = held.indexOf('\r\n\r\n')
      const length = end < 0 ? null : /content-length: (\d+)/i.exec(held.slice(0, end))?.[1]
      const whole = end + 4 + Number(length)
      if (length != null && held.length >= whole) {
        const text = held.slice(0, whole)
        held = held.slice(whole)
        return text
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
      wake = null
    }
  }
}
async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return socket
}
const head = (port: number, who: { authorization?: string; cookie?: string }) =>
  `host: 127.0.0.1:${port}\r\n${who.authorization ? `authorization: ${who.authorization}\r\n` : ''}${who.cookie ? `cookie: ${who.cookie}\r\n` : ''}\r\n`

async function byHttp(
  { port, connections, ...who }: NonNullable<Request['http']>,
  services: number,
  count: number,
) {
  const times: number[] = []
  const rest = head(port, who)
  const one = async () => {
    const socket = await open(port)
    const read = reader(socket)
    for (let turn = 0; turn < count / connections; turn++) {
      const line = `GET /api/registry/lookup?name=${nameOf(services)} HTTP/1.1\r\n${rest}`
      const began = performance.now()
      socket.write(line)
      const text = await read()
      times.push(performance.now() - began)
      if (!text.startsWith('HTTP/1.1 200'))
        throw new Error(`a lookup was answered with ${text.slice(0, 400)}`)
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, one))
  return times
}

async function byDns({ port, type }: NonNullable<Request['dns']>, services: number, count: number) {
  const socket = createSocket('udp4')
  const times: number[] = []
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
  for (let turn = 0; turn < count; turn++) {
    const name = `${type === 'SRV' ? '_http._tcp.' : ''}${nameOf(services)}.kalnet.home.arpa`
    const packet = encode({ type: 'query', id: turn & 0xffff, flags: 0x100, questions: [{ name, type }] })
    const heard = new Promise<Buffer>((resolve) => socket.once('message', resolve))
    const began = performance.now()
    socket.send(packet)
    const said = await heard
    times.push(performance.now() - began)
    if ((said.readUInt16BE(2) & 0xf) !== 0 || said.readUInt16BE(6) === 0)
      throw new Error('a name was not answered')
  }
  socket.close()
  return times
}

async function watch({ name, word, port, authorization }: NonNullable<Request['until']>): Promise<number> {
  const began = performance.now()
  const socket = await open(port)
  const read = reader(socket)
  for (;;) {
    socket.write(`GET /api/registry/lookup?name=${name} HTTP/1.1\r\n${head(port, { authorization })}`)
    if ((await read()).includes(word)) {
      socket.destroy()
      return performance.now() - began
    }
  }
}

answer(async ({ http, dns, services, count, until }: Request) => {
  if (until) return watch(until)
  if (http) return byHttp(http, services, count)
  return dns ? byDns(dns, services, count) : []
})
