/** A controller elsewhere trusts the control plane's own authority by the fingerprint in its join line, nothing else. */
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { failed, refused } from '../problem.ts'

const letters = (fingerprint: string) => fingerprint.replace(/[^0-9a-f]/gi, '').toUpperCase()

/** The authority's PEM for an https address, from its last visit or by its fingerprint; null: the system's own trust. */
export async function trust(
  url: string,
  fingerprint: string | undefined,
  configFolder: string,
  signal: AbortSignal,
): Promise<string | null> {
  const kept = join(configFolder, 'joined-authority.crt')
  if (!fingerprint) return readIfThere(kept)
  const pem = await authorityOf(new URL(url), signal)
  const found = letters(new X509Certificate(pem).fingerprint256)
  if (found !== letters(fingerprint))
    throw refused(
      'The control plane at this address shows another authority than the one you were told of.',
      'Check the address and the fingerprint; make a new line with `kalnet controllers enrol`.',
    )
  await writeWhole(kept, pem, 0o644)
  return pem
}

/** Looks at the chain it presents. Nothing is sent before the fingerprint was compared. */
function authorityOf(url: URL, signal: AbortSignal): Promise<string> {
  if (url.protocol !== 'https:')
    throw refused(
      'A fingerprint belongs to an https address.',
      'Use the address that `kalnet controllers enrol` printed.',
    )
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      rejectUnauthorized: false,
      timeout: 10_000,
    })
    const end = (finish: () => void) => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      finish()
    }
    const onAbort = () => end(() => reject(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('timeout', () => end(() => reject(unreachable(url, 'it did not answer within 10 seconds'))))
    socket.once('error', (error) => end(() => reject(unreachable(url, error.message))))
    socket.once('secureConnect', () => {
      let at: DetailedPeerCertificate = socket.getPeerCertificate(true)
      // The last of the chain refers to itself.
      while (at.issuerCertificate && at.issuerCertificate !== at) at = at.issuerCertificate
      const pem = new X509Certificate(at.raw).toString()
      end(() => resolve(pem))
    })
  })
}

const unreachable = (url: URL, why: string) =>
  failed(
    `The control plane at ${url.origin} cannot be reached: ${why}.`,
    'Check the address and the network.',
  )
