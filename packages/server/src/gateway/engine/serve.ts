/** One request through to an instance and its answer back: streamed both ways, tried again elsewhere where that is safe. */
import { request as ask, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { fail, type KalnetError } from '@kalnet/contracts/errors'
import { countRead } from '@kalnet/wire/tidy'
import type { Passed, Visit } from './admit.ts'
import { answerHeaders, asRecord, requestHeaders, trailersOf } from './headers.ts'
import { ANSWER_HEADER_BYTES, type Limits } from './interface.ts'
import { beginPassage, noAnswer, type Passage, type Shared } from './passage.ts'
import { stickyCookie } from './policies/sticky.ts'
import { refuse } from './refuse.ts'
import { arrivalMs, type Member } from './rotation.ts'
import { createWatch } from './watch.ts'

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const LINGER_MS = 2_000
const UNWELL = new Set([502, 503, 504])
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE'])

/** What node:http2 has besides what it has in common with node:http. */
const streamOf = (request: IncomingMessage) =>
  (request as unknown as { stream: { endAfterHeaders: boolean; close(): void } }).stream

/** How the body's end is told upstream, from what was understood; never as it was written. Null: there is no body. */
function framingOf(request: IncomingMessage): string[] | null {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  if (coding !== undefined) return ['Transfer-Encoding', 'chunked']
  if (length !== undefined) return ['Content-Length', length]
  if (request.httpVersionMajor !== 2) return null
  return streamOf(request).endAfterHeaders ? null : ['Transfer-Encoding', 'chunked']
}

export interface Serving {
  request: IncomingMessage
  response: ServerResponse
  visit: Visit
  verdict: Passed
  limits: Limits
  shared: Shared
}

/** Throws when the breaker is open; every other failure is answered here. */
export function serveVisit({ request, response, visit, verdict, limits, shared }: Serving): void {
  const { rotation, trace, method } = visit
  const { policy, counts, route } = rotation
  const { timeouts } = policy
  const framing = framingOf(request)
  const hasBody = framing !== null && framing[1] !== '0'
  const expects = request.headers.expect?.toLowerCase() === '100-continue'
  const truth = {
    address: visit.address,
    host: visit.host.text,
    scheme: visit.scheme,
    prefix: visit.prefix,
    trace,
    add: verdict.headers,
    drop: verdict.drop,
  }
  const headers = requestHeaders(
    request.rawHeaders,
    truth,
    framing ?? (BODILESS.has(method) ? [] : ['Content-Length', '0']),
  )
  if (expects && hasBody) headers.push('Expect', '100-continue')

  const tried: Member[] = []
  let out: ClientRequest | null = null
  let begun = false
  /** Answered by us, or nobody is there to answer any more. */
  let over = false
  let finished = false
  let continued = false
  /** For somebody to be there at all: once. */
  let waited: (() => void) | null = null
  const watch = createWatch()
  const cut = () => {
    out?.destroy()
    response.destroy()
  }
  const passage: Passage = beginPassage(visit, verdict, shared, cut)

  function giveUp(error: KalnetError) {
    if (over) return
    over = true
    watch.end()
    request.off('data', onData)
    request.off('end', onEnd)
    passage.answered(error.status >= 500)
    if (error.status >= 500)
      shared.log.debug({ code: error.code, route: route.id, cause: String(error.cause) }, 'no answer')
    if (response.headersSent) response.destroy()
    else refuse(request, response, error, trace.requestId)
  }

  // The request's body. Read only when somebody is there to take it, so that it can go to another one until then.
  let taken = 0
  const onData = (chunk: Buffer) => {
    begun = true
    taken += chunk.length
    countRead(chunk.length)
    counts.bytesIn += chunk.length
    if (policy.bodyBytes !== null && taken > policy.bodyBytes) {
      counts.rejected += 1
      giveUp(fail('request.too-large', { limitBytes: policy.bodyBytes }))
      out?.destroy()
      return
    }
    if (out?.write(chunk)) watch.again()
    else {
      request.pause()
      // It is the service that does not take it now.
      if (!response.headersSent) watch.set(timeouts.answerMs, late)
    }
  }
  const onEnd = () => {
    const trailers = trailersOf(request.rawTrailers)
    if (trailers && framing?.[0] === 'Transfer-Encoding') out?.addTrailers(trailers)
    out?.end()
    if (!response.headersSent) watch.set(timeouts.answerMs, late)
  }
  const late = () => {
    out?.destroy(Object.assign(new Error('it took too long'), { code: 'LATE' }))
  }
  const silent = () => {
    giveUp(fail('request.time-out'))
    out?.destroy()
  }

  function attempt() {
    if (over) return
    const member = rotation.pick(passage.now(), visit.tag, tried)
    if (!member) {
      if (waited) return giveUp(fail('gateway.no-instance', { name: route.serviceName }))
      waited = rotation.arrival(arrivalMs(policy), attempt)
      return
    }
    tried.push(member)
    const done = passage.try(member)
    const { agent } = member.upstream
    const mine = ask({ agent, method, path: visit.path, headers, maxHeaderSize: ANSWER_HEADER_BYTES })
    out = mine
    let connected = false
    let settled = false

    function send() {
      connected = true
      if (!hasBody) return
      watch.set(limits.bodyMs, silent)
      request.on('data', onData)
      request.on('end', onEnd)
      request.on('error', cut)
    }
    /** Elsewhere, where nothing of it can have had an effect, or may have it twice. */
    function again(error: KalnetError) {
      const safe = !begun && (!connected || (REPEATABLE.has(method) && !hasBody))
      if (safe && passage.mayRetry(tried.length)) {
        request.off('data', onData)
        request.off('end', onEnd)
        attempt()
      } else giveUp(error)
    }
    mine.once('socket', (socket) => {
      if (settled) return
      send()
      if (!socket.writable) mine.destroy()
    })
    mine.on('drain', () => {
      request.resume()
      if (!response.headersSent && !request.complete) watch.set(limits.bodyMs, silent)
    })
    if (expects)
      mine.on('continue', () => {
        continued = true
        response.writeContinue()
      })
    const failed = (error: Error & { code?: string }) => {
      done()
      if (settled) return
      settled = true
      if (over) return
      passage.told(member, 'failed')
      // Whoever was slow once is not asked twice, nor is somebody else: waiting adds up.
      if (error.code === 'LATE') giveUp(fail('gateway.late', { name: route.serviceName }, error))
      else again(noAnswer(visit, error))
    }
    // Not once: what was given up may fail again later.
    mine.on('error', failed)
    // Without a word of error too: it changed the protocol, which nobody asked for.
    mine.once('close', () => failed(new Error('it said nothing of use')))
    mine.once('response', (answer) => {
      if (settled || over) return void answer.destroy()
      settled = true
      const status = answer.statusCode ?? 502
      const unwell = UNWELL.has(status)
      passage.told(member, unwell ? 'failed' : 'answered')
      const elsewhere = unwell && !hasBody && REPEATABLE.has(method) && rotation.others(tried)
      if (elsewhere && passage.mayRetry(tried.length)) {
        answer.destroy()
        return attempt()
      }
      passage.answered(status >= 500)
      sendAnswer(answer, status, member)
    })
    if (!hasBody) mine.end()
    watch.set(timeouts.answerMs + timeouts.connectMs, late)
  }

  function sendAnswer(answer: IncomingMessage, status: number, member: Member) {
    const sticky =
      policy.sticky && visit.tag !== member.tag
        ? stickyCookie(member.tag, visit.prefix || '/', visit.scheme === 'https')
        : null
    const pairs = answerHeaders(answer.rawHeaders, {
      requestId: trace.requestId,
      safety: policy.safetyHeaders,
      secure: visit.scheme === 'https',
      sticky,
    })
    if (request.httpVersionMajor === 2) response.writeHead(status, asRecord(pairs))
    else {
      response.sendDate = answer.headers.date === undefined
      // What follows may be the body that nobody asked for, or the next request.
      if (expects && !continued) response.shouldKeepAlive = false
      // The flat list keeps the order and the spelling.
      response.writeHead(status, answer.statusMessage ?? '', pairs)
    }
    const length = Number(answer.headers['content-length'] ?? Number.NaN)
    let given = 0
    let ended = false
    const stalled = () => cut()
    const quiet = () => cut()
    watch.set(timeouts.idleMs, quiet)
    answer.on('data', (chunk: Buffer) => {
      given += chunk.length
      countRead(chunk.length)
      counts.bytesOut += chunk.length
      watch.again()
      if (given === length && method !== 'HEAD') {
        ended = true
        response.end(chunk)
        return
      }
      if (response.write(chunk)) return
      answer.pause()
      // The client does not read: its bytes wait here for a while, and no more come.
      watch.set(limits.stallMs, stalled)
    })
    response.on('drain', () => {
      watch.set(timeouts.idleMs, quiet)
      answer.resume()
    })
    answer.on('end', () => {
      if (ended) return
      const trailers = trailersOf(answer.rawTrailers)
      if (trailers) response.addTrailers(trailers)
      response.end()
    })
    answer.on('error', cut)
    answer.on('aborted', cut)
    // A head alone (an event stream that says nothing yet) must not wait for its first byte; most come together.
    setImmediate(() => {
      if (given === 0 && !over) response.flushHeaders()
    })
  }

  response.on('close', () => {
    if (!finished || !request.complete) out?.destroy()
    waited?.()
    over = true
    watch.end()
    passage.over()
  })
  response.on('finish', () => {
    finished = true
    over = true
    watch.end()
    if (request.complete) return
    if (request.httpVersionMajor === 2) {
      streamOf(request).close()
      return
    }
    if (expects && !continued) {
      request.socket.destroySoon()
      return
    }
    // Whoever was answered early goes on sending for a moment, which nobody hears: hanging up at once could lose the answer on its way.
    request.off('data', onData)
    request.resume()
    const linger = setTimeout(() => request.socket.destroySoon(), LINGER_MS)
    request.once('end', () => clearTimeout(linger))
    request.once('close', () => clearTimeout(linger))
  })
  attempt()
}
