/** May this request pass: the question our gateway asks for each request of a route that is not open to everybody. */
import type { IncomingHttpHeaders } from 'node:http'
import { KalnetError } from '@kalnet/contracts/errors'
import { FORWARD_HEADERS } from '@kalnet/contracts/forward'
import type { ForwardReply } from '../apps/forward.ts'
import type { Asked, Verdict } from './engine/interface.ts'

/** The request as forward-auth is asked about it; what a client claims of itself under these names is not among it. */
export function headersFor({ headers, method, scheme, host, uri, upgrade }: Asked): IncomingHttpHeaders {
  return {
    cookie: headers.cookie,
    authorization: headers.authorization,
    accept: headers.accept,
    origin: headers.origin,
    'sec-fetch-mode': headers['sec-fetch-mode'],
    'sec-websocket-key': headers['sec-websocket-key'],
    ...(upgrade ? { upgrade: 'websocket' } : {}),
    'x-forwarded-method': method,
    'x-forwarded-proto': scheme,
    'x-forwarded-host': host,
    'x-forwarded-uri': uri,
  }
}

const NAMES = new Set(FORWARD_HEADERS.map((name) => name.toLowerCase()))

export function verdictOf({ status, headers, body, signInId }: ForwardReply): Verdict {
  if (status !== 200) return { pass: false, status, headers, body }
  const told = Object.entries(headers).filter(
    (entry): entry is [string, string] => NAMES.has(entry[0].toLowerCase()) && typeof entry[1] === 'string',
  )
  return {
    pass: true,
    headers: Object.fromEntries(told),
    drop: [...FORWARD_HEADERS],
    signInId,
    userId: told.find(([name]) => name === 'X-Kalnet-User')?.[1] ?? null,
  }
}

/** What the engine may ask; a refusal of the error table is thrown on, so that its page is shown. */
export const createJudge =
  (decide: (headers: IncomingHttpHeaders, address: string) => Promise<ForwardReply>) =>
  async (asked: Asked): Promise<Verdict> => {
    try {
      return verdictOf(await decide(headersFor(asked), asked.address))
    } catch (error) {
      // Its rule went a moment before the route did.
      if (error instanceof KalnetError && error.code === 'forward-route.unknown')
        return {
          pass: false,
          status: 404,
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body: error.message,
        }
      throw error
    }
  }
