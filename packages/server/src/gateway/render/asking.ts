/** Traefik's middlewares before every guarded address: nobody names himself, and we are asked who may pass. Pure. */
import { FORWARD_HEADERS } from '@kalnet/contracts/forward'
import { HOME_RANGES } from '../engine/address.ts'

/** What the proxy must never pass on from outside. */
const CLAIMS = FORWARD_HEADERS.filter((name) => name.startsWith('X-Kalnet-'))

export const noClaims = {
  headers: { customRequestHeaders: Object.fromEntries(CLAIMS.map((it) => [it, ''])) },
}

/** For this network alone: for everybody else it is not there, as at our own gateway. */
export const nearOnly = { ipAllowList: { sourceRange: [...HOME_RANGES], rejectStatusCode: 404 } }

export const asking = ({
  forwardAuth: address,
  trust,
}: {
  forwardAuth: string
  trust: { file: string } | 'loopback' | null
}) => ({
  forwardAuth: {
    address,
    trustForwardHeader: false,
    authResponseHeaders: [...FORWARD_HEADERS],
    preserveLocationHeader: true,
    ...(trust ? { tls: trust === 'loopback' ? { insecureSkipVerify: true } : { ca: trust.file } } : {}),
  },
})
