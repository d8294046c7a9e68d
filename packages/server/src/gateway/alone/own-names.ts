/** The names of the dashboard and API at a gateway of its own: passed on to the control plane, which is told who asks. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import { fail } from '@kalnet/contracts/errors'
import { FORWARDED_HEADER } from '@kalnet/contracts/gateway-joined'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import { addressOf } from '../engine/admit.ts'
import { refuse, refuseUpgrade } from '../engine/refuse.ts'
import type { ControlPlane } from './control-planes.ts'

/** They are about one connection (RFC 9110 §7.6.1); the next one says its own. */
const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  FORWARDED_HEADER,
])
type Headers = Record<string, string | string[]>

export function passedOn(headers: IncomingMessage['headers']): Headers {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((it) => it.trim())
  const entries = Object.entries(headers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && !entry[0].startsWith(':') && !HOP.has(entry[0]) && !named.includes(entry[0]),
  )
  return Object.fromEntries(entries)
}

export function createOwnNames(given: { now(): ControlPlane; proof(): string }) {
  let hosts: string[] = []
  const isSecure = (request: IncomingMessage) =>
    (request.socket as { encrypted?: boolean }).encrypted === true
  const whoAsks = (request: IncomingMessage): Headers => {
    const proof = given.proof()
    const scheme = isSecure(request) ? 'https' : 'http'
    return proof === '' ? {} : { [FORWARDED_HEADER]: `${proof} ${addressOf(request)} ${scheme}` }
  }

  function request(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = incoming
    const hasLength = headers['content-length'] !== undefined
    const out = given.now().ask({
      method,
      path: url,
      headers: {
        ...passedOn(headers),
        ...(headers['transfer-encoding'] !== undefined && !hasLength
          ? { 'transfer-encoding': 'chunked' }
          : {}),
        ...whoAsks(incoming),
      },
    })
    out.on('error', (error) => {
      if (response.headersSent) response.destroy()
      else refuse(incoming, response, fail('gateway.away', {}, error), 'none')
    })
    out.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers))
      pipeline(answer, response, (error) => {
        if (error) response.destroy()
      })
    })
    response.once('close', () => out.destroy())
    incoming.pipe(out)
  }

  function upgrade(incoming: IncomingMessage, socket: Duplex, rest: Buffer): void {
    const up = given.now().connect()
    up.once('error', (error) => {
      up.destroy()
      refuseUpgrade(incoming, socket, fail('gateway.away', {}, error), 'none')
    })
    up.once(isTls(up) ? 'secureConnect' : 'connect', () => {
      up.removeAllListeners('error')
      const all = { ...passedOn(incoming.headers), ...whoAsks(incoming), connection: 'Upgrade' }
      const lines = [
        `GET ${incoming.url ?? '/'} HTTP/1.1`,
        `upgrade: ${incoming.headers.upgrade ?? 'websocket'}`,
      ]
      for (const [name, value] of Object.entries(all))
        for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`)
      up.write(`${lines.join('\r\n')}\r\n\r\n`)
      if (rest.length > 0) socket.unshift(rest)
      void joinStreams(socket, up, undefined, LONG_HALF_MS)
    })
    socket.once('close', () => up.destroy())
  }

  return {
    hosts: () => hosts,
    lead(names: string[]) {
      hosts = names
    },
    request,
    upgrade,
  }
}
const isTls = (stream: Duplex) => (stream as { encrypted?: boolean }).encrypted === true
