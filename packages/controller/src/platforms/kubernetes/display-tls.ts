/**
 * The way to a screen over the network of a cluster: TLS first, with the certificate that was made for this screen and no other, then
 * the secret as on the loopback (VeNCrypt 0.2, security type 19, with X509Vnc inside; rfbproto, "VeNCrypt").
 */
import type { Duplex } from 'node:stream'
import { setImmediate as immediate } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'

export const VENCRYPT = 19
const X509_VNC = 261
const [MAJOR, MINOR] = [0, 2]

type Read = (count: number) => Promise<Buffer>

/** After the choice of VeNCrypt. Resolves with the encrypted stream, in which the secret is asked. */
export async function encrypted(
  inner: Duplex,
  read: Read,
  certificate: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const version = await read(2)
  if (version[0] !== MAJOR || version[1] !== MINOR) throw new Error('the display encrypts in another way')
  inner.write(Buffer.from([MAJOR, MINOR]))
  if ((await read(1))[0] !== 0) throw new Error('the display encrypts in another way')
  const [count = 0] = await read(1)
  const kinds = await read(count * 4)
  const offered = Array.from({ length: count }, (_, index) => kinds.readUInt32BE(index * 4))
  if (!offered.includes(X509_VNC)) throw new Error('the display shows no certificate')
  const choice = Buffer.alloc(4)
  choice.writeUInt32BE(X509_VNC)
  inner.write(choice)
  if ((await read(1))[0] !== 1) throw new Error('the display refused to encrypt')
  // A stream flows again only a moment after the last one who waited for 'readable' has left.
  await immediate()
  return shaken(inner, certificate, signal)
}

function shaken(inner: Duplex, certificate: string, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket: inner,
      // This one certificate is trusted, so it is the screen: there is no name that would say more.
      ca: certificate,
      checkServerIdentity: () => undefined,
    })
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', onAbort)
      secure.off('error', onError)
      finish()
    }
    const onAbort = () => settle(() => reject(secure.destroy() && signal.reason))
    const onError = (error: Error) =>
      settle(() => reject(new Error('the display is not the one that was started', { cause: error })))
    signal.addEventListener('abort', onAbort, { once: true })
    secure.once('error', onError)
    secure.once('secureConnect', () => settle(() => resolve(secure)))
    if (signal.aborted) onAbort()
  })
}
