/** The first contact: a one-use token and our public key for a controller id. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { ERRORS, type ErrorCode, errorBody, fail } from '@kalnet/contracts/errors'
import { backoff, type Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Identity } from './identity.ts'

const ANSWER_MS = 10_000
const ANSWER_BYTES = 64 * 1024

interface Answer {
  status: number
  body: string
}

/** The control plane's own address, given by whoever started us: no other filter applies to it. */
function post(url: URL, ca: string | undefined, body: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      ca,
      signal: limit,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    request.once('error', reject)
    request.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text = (text + piece).slice(0, ANSWER_BYTES)
      })
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    request.end(body)
  })
}

const isKnown = (code: string): code is ErrorCode => code in ERRORS

/** A refusal of the control plane ends it; that it is not there yet does not. */
export async function enrol(options: {
  identity: Identity
  url: string
  ca?: string
  token: string
  name: string
  log: Log
  clock: Clock
  signal: AbortSignal
}): Promise<void> {
  const { identity, url, ca, token, name, log, clock, signal } = options
  const target = new URL(controllerRoutes.enrol.path, url)
  const body = JSON.stringify({ token, name: name.slice(0, 60), publicKey: identity.publicKey })
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted()
    try {
      const answer = await post(target, ca, body, signal)
      if (answer.status >= 200 && answer.status < 300) {
        const { controllerId } = controllerRoutes.enrol.answer.parse(JSON.parse(answer.body))
        await identity.enrolled(controllerId, url)
        log.info({ controller: controllerId }, 'enrolled')
        return
      }
      if (answer.status < 500 && answer.status !== 429) {
        const told = errorBody.safeParse(JSON.parse(answer.body)).data?.error
        throw told && isKnown(told.code)
          ? fail(told.code, told.details)
          : fail('controller.token', {}, new Error(`the control plane answered ${answer.status}`))
      }
      log.warn({ status: answer.status }, 'the control plane cannot enrol us right now')
    } catch (error) {
      const isNetwork = error instanceof Error && 'code' in error && typeof error.code === 'string'
      const isTransport = isNetwork && /^(E[A-Z]+|ABORT_ERR|UND_)/.test(String(error.code))
      if (!isTransport || signal.aborted) throw error
      log.warn({ problem: error instanceof Error ? error.message : '' }, 'the control plane was not reached')
    }
    await clock.sleep(backoff(attempt), signal)
  }
}
