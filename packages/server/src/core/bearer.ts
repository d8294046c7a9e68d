/** The service key a request carries, if any. With one, nothing else that came along says who asks. */
import type { IncomingMessage } from 'node:http'
import { KEY_PREFIX } from '@kalnet/contracts/key'

/** `Bearer kal_…`: what follows the word; null for every other header, which is not ours to judge. */
export function bearerKey(authorization: string | undefined): string | null {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? '')
  return match?.[1]?.startsWith(KEY_PREFIX) ? match[1] : null
}
export const carriesKey = (request: IncomingMessage) => bearerKey(request.headers.authorization) !== null
