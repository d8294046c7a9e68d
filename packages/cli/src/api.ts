/** The typed client of the local API: the control plane's control socket, as the owner. */
import { request } from 'node:http'
import type { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { ERRORS, type ErrorCode, errorBody, fail } from '@kalnet/contracts/errors'
import type { AnswerOf, AnyRoute, BodyIn, ParamsOf, QueryOf } from '@kalnet/contracts/route'
import { failed, notRunning } from './problem.ts'

export interface Answer {
  status: number
  body: unknown
}
interface Ask {
  socketPath: string
  method: string
  path: string
  body?: unknown
  signal?: AbortSignal
  timeoutMs?: number
}

/** One request over a unix socket. No such socket, or nobody behind it: "not running". */
export function ask({ socketPath, method, path, body, signal, timeoutMs = 30_000 }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const call = request(
      {
        socketPath,
        method,
        path,
        signal,
        timeout: timeoutMs,
        headers: {
          host: 'localhost',
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const said = Buffer.concat(chunks).toString('utf8')
          try {
            resolve({ status: answer.statusCode ?? 0, body: said ? JSON.parse(said) : null })
          } catch {
            reject(failed('Kalnet gave an answer that cannot be read.', 'Look at `kalnet status`.'))
          }
        })
      },
    )
    call.on('timeout', () =>
      call.destroy(
        failed(`Kalnet did not answer within ${timeoutMs / 1000} seconds.`, 'Look at `kalnet status`.'),
      ),
    )
    call.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? notRunning() : error),
    )
    call.end(text)
  })
}

type Given<T> = keyof T extends never ? unknown : T
export interface CallInput<R> {
  params?: Given<ParamsOf<R>>
  query?: Partial<QueryOf<R>>
  body?: BodyIn<R>
  signal?: AbortSignal
  timeoutMs?: number
}
export interface Api {
  call<R extends AnyRoute>(route: R, input?: CallInput<R>): Promise<AnswerOf<R>>
  /** For answers of any length: the text as it comes. */
  read<R extends AnyRoute>(route: R, input?: CallInput<R>): Promise<Readable>
}

const isKnown = (code: string): code is ErrorCode => code in ERRORS

/** `/api/sessions/:id` with its parameters and query filled in. */
export function address(path: string, params: object = {}, query: object = {}): string {
  const values = new Map(Object.entries(params))
  const filled = path.replace(/:(\w+)/g, (_whole, name: string) =>
    encodeURIComponent(String(values.get(name))),
  )
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  if (pairs.length === 0) return filled
  return `${filled}?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

/** What a refusal means here, as an error to throw. */
function refusalOf(status: number, body: unknown): Error {
  const refusal = errorBody.safeParse(body)
  if (!refusal.success) return failed(`Kalnet answered with status ${status}.`, 'Look at `kalnet status`.')
  const { code, message, next, details, requestId } = refusal.data.error
  return isKnown(code) ? fail(code, { ...details, requestId }) : failed(message, next)
}

export function createApi(socketPath: string): Api {
  return {
    async call(route, input = {}) {
      const { status, body } = await ask({
        socketPath,
        method: route.method,
        path: address(route.path, input.params ?? {}, input.query ?? {}),
        // A POST without a body of its own still sends an empty one: the route asks for `{}`.
        body: route.method === 'GET' || route.method === 'DELETE' ? undefined : (input.body ?? {}),
        signal: input.signal,
        timeoutMs: input.timeoutMs,
      })
      if (status >= 200 && status < 300) return route.answer.parse(body ?? {}) as AnswerOf<typeof route>
      throw refusalOf(status, body)
    },
    read(route, input = {}) {
      return new Promise((resolve, reject) => {
        const path = address(route.path, input.params ?? {}, input.query ?? {})
        const call = request({
          socketPath,
          method: route.method,
          path,
          signal: input.signal,
          headers: { host: 'localhost' },
        })
        call.once('error', (error: NodeJS.ErrnoException) =>
          reject(error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? notRunning() : error),
        )
        call.once('response', (answer) => {
          if (answer.statusCode === 200) return resolve(answer)
          json(answer).then((body) => reject(refusalOf(answer.statusCode ?? 0, body)), reject)
        })
        call.end()
      })
    },
  }
}
