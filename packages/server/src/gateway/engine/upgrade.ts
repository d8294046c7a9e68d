/** A WebSocket through to an instance: the handshake is passed on as a request, then bytes flow both ways. */
import { request as ask, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { fail, type KalnetError } from '@kalnet/contracts/errors'
import { quicken } from '@kalnet/wire/raw'
import type { Passed, Visit } from './admit.ts'
import { answerHeaders, requestHeaders } from './headers.ts'
import { ANSWER_HEADER_BYTES } from './interface.ts'
import { beginPassage, noAnswer, type Shared } from './passage.ts'
import { pipeBoth } from './pipe.ts'
import { refuseUpgrade } from './refuse.ts'
import { arrivalMs, type Member } from './rotation.ts'

/** The only upgrade that is passed on; `h2c` would open a way around everything that is judged here. */
export const isWebSocket = (request: IncomingMessage): boolean =>
  request.method === 'GET' &&
  request.headers.upgrade?.toLowerCase() === 'websocket' &&
  request.headers['content-length'] === undefined &&
  request.headers['transfer-encoding'] === undefined

const head = (status: string, pairs: readonly string[]) => {
  const lines = [`HTTP/1.1 ${status}`]
  for (let at = 0; at < pairs.length; at += 2) lines.push(`${pairs[at]}: ${pairs[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

export interface Upgrading {
  request: IncomingMessage
  socket: Duplex
  /** What came behind the handshake already. */
  rest: Buffer
  visit: Visit
  verdict: Passed
  stallMs: number
  shared: Shared
}

export function upgradeVisit({ request, socket, rest, visit, verdict, stallMs, shared }: Upgrading): void {
  const { rotation, trace } = visit
  const { policy, counts, route } = rotation
  const gone = new AbortController()
  const passage = beginPassage(visit, verdict, shared, () => {
    gone.abort()
    socket.destroy()
  })
  const truth = {
    address: visit.address,
    host: visit.host.text,
    scheme: visit.scheme,
    prefix: visit.prefix,
    trace,
    add: verdict.headers,
    drop: verdict.drop,
  }
  const headers = requestHeaders(request.rawHeaders, truth, ['Connection', 'Upgrade', 'Upgrade', 'websocket'])
  const tried: Member[] = []
  /** For somebody to be there at all: once. */
  let waited: (() => void) | null = null
  socket.once('close', () => {
    gone.abort()
    waited?.()
    passage.over()
  })

  function giveUp(error: KalnetError) {
    passage.answered(error.status >= 500)
    visit.status = error.status
    refuseUpgrade(request, socket, error, trace.requestId)
  }
  const answerPairs = (answer: IncomingMessage) =>
    answerHeaders(answer.rawHeaders, {
      requestId: trace.requestId,
      safety: false,
      secure: visit.scheme === 'https',
      sticky: null,
    })

  function attempt() {
    if (gone.signal.aborted) return
    const member = rotation.pick(passage.now(), visit.tag, tried)
    if (!member) {
      if (waited) return giveUp(fail('gateway.no-instance', { name: route.serviceName }))
      waited = rotation.arrival(arrivalMs(policy), attempt)
      return
    }
    tried.push(member)
    const done = passage.try(member)
    const failed = (error: Error & { code?: string }) => {
      done()
      if (gone.signal.aborted) return
      passage.told(member, 'failed')
      if (passage.mayRetry(tried.length)) attempt()
      else giveUp(noAnswer(visit, error))
    }
    member.upstream.dial(gone.signal, policy.timeouts.connectMs).then((stream) => {
      quicken(stream)
      const out = ask({
        createConnection: () => stream as ReturnType<typeof import('node:net').connect>,
        method: 'GET',
        path: visit.path,
        headers,
        maxHeaderSize: ANSWER_HEADER_BYTES,
      })
      const late = setTimeout(
        () => out.destroy(Object.assign(new Error('it took too long'), { code: 'LATE' })),
        policy.timeouts.answerMs,
      )
      gone.signal.addEventListener('abort', () => out.destroy(), { once: true })
      out.once('close', () => clearTimeout(late))
      let settled = false
      out.on('error', (error: Error & { code?: string }) => {
        if (settled) return
        settled = true
        if (error.code === 'LATE') {
          done()
          passage.told(member, 'failed')
          giveUp(fail('gateway.late', { name: route.serviceName }, error))
        } else failed(error)
      })
      out.once('upgrade', (answer, upstream, first) => {
        clearTimeout(late)
        settled = true
        passage.told(member, 'answered')
        passage.answered(false)
        visit.status = 101
        upstream.once('close', done)
        socket.write(
          head('101 Switching Protocols', [
            ...answerPairs(answer),
            'Connection',
            'Upgrade',
            'Upgrade',
            'websocket',
          ]),
        )
        if (first.length > 0) upstream.unshift(first)
        if (rest.length > 0) socket.unshift(rest)
        pipeBoth(socket, upstream, { idleMs: policy.timeouts.idleMs, stallMs, counts })
      })
      // It does not want to: what it says instead is passed on, and the connection ends.
      out.once('response', (answer) => {
        settled = true
        const status = answer.statusCode ?? 502
        passage.told(member, status >= 502 ? 'failed' : 'answered')
        passage.answered(status >= 500)
        visit.status = status
        socket.write(
          head(`${status} ${answer.statusMessage ?? ''}`, [
            ...withoutLength(answerPairs(answer)),
            'Connection',
            'close',
          ]),
        )
        answer.once('close', done)
        answer.pipe(socket)
      })
      out.end()
    }, failed)
  }
  attempt()
}

/** The body was decoded and ends with the connection. */
const withoutLength = (pairs: readonly string[]): string[] => {
  const out: string[] = []
  for (let at = 0; at < pairs.length; at += 2)
    if ((pairs[at] ?? '').toLowerCase() !== 'content-length') out.push(pairs[at] ?? '', pairs[at + 1] ?? '')
  return out
}
