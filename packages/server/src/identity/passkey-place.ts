/** Where a passkey belongs: to the name in the address bar. A browser gives none to a bare address, so neither do we. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isSecure } from '../core/origin.ts'

export type PasskeyPlace =
  | { available: true; rpId: string; origin: string }
  | { available: false; reason: string }

const no = (reason: string): PasskeyPlace => ({ available: false, reason })
const bare = (hostname: string) => isIP(hostname.replace(/^\[|\]$/g, '')) !== 0

/** `publicUrl` fixes the name: passkeys made at another one would be lost. */
export function placeOf(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  publicUrl: string | null,
): PasskeyPlace {
  const { origin, host = '' } = request.headers
  const scheme = isSecure(request as IncomingMessage) ? 'https' : 'http'
  const asked = origin ?? `${scheme}://${host}`
  if (!URL.canParse(asked)) return no('this address has no name')
  // Without an Origin (reading) a proxy of yours may have changed the host: the public address is meant.
  const here = new URL(publicUrl && origin === undefined ? publicUrl : asked)
  const home = publicUrl ? new URL(publicUrl) : here
  if (bare(home.hostname)) {
    const port = home.port ? `:${home.port}` : ''
    const better = /^127\./.test(home.hostname) ? `localhost${port}` : 'its name'
    return no(`they belong to a name, and ${home.hostname} is a bare address. Open Kalnet at ${better}`)
  }
  if (home.protocol !== 'https:' && home.hostname !== 'localhost')
    return no('they need https, and this address is plain http')
  if (here.origin !== home.origin) return no(`they belong to ${home.origin}. Open Kalnet there`)
  return { available: true, rpId: home.hostname, origin: home.origin }
}
