/** Where another device opens the page that helps it trust this house, also as a code for its camera. */
import type { IncomingMessage } from 'node:http'
import type { Qr } from '@kalnet/contracts/qr'
import { isSecure } from '../core/origin.ts'
import { qrOf } from '../core/qr.ts'

export const TRUST_PAGE = '/trust'
/** Names that mean the machine itself wherever they are opened: of no use on a phone. */
const HERE = /^(localhost|127(\.\d+){3}|\[::1\])$|\.localhost$/

/** By the public address, or else by the one it was asked at. Null: no other device could open that. */
export function trustPage(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  publicUrl: string | undefined,
): { url: string; code: Qr } | null {
  const scheme = isSecure(request as IncomingMessage) ? 'https' : 'http'
  const asked = publicUrl ?? `${scheme}://${request.headers.host ?? ''}`
  if (!URL.canParse(asked)) return null
  const { hostname, origin } = new URL(asked)
  if (HERE.test(hostname)) return null
  const url = `${origin}${TRUST_PAGE}`
  return { url, code: qrOf(url) }
}
