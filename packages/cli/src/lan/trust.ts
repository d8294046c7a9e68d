/** A controller elsewhere trusts the control plane's own authority by the fingerprint in its join line, nothing else. */
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { systemClock } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import { CliProblem, EXIT, failed, refused } from '../problem.ts'

const letters = (fingerprint: string) => fingerprint.replace(/[^0-9a-f]/gi, '').toUpperCase()

/** How long programs wait for a control plane that is started at the same time; people are told at once. */
export const PATIENCE_MS = 180_000
const PAUSE_MS = 1_000

const isOf = (pem: string, fingerprint: string) =>
  letters(new X509Certificate(pem).fingerprint256) === letters(fingerprint)

/** The authority's PEM for an https address, from its last visit or by its fingerprint; null: the system's own trust. */
export async function trust(
  url: string,
  fingerprint: string | undefined,
  configFolder: string,
  signal: AbortSignal,
  patienceMs = 0,
): Promise<string | null> {
  const kept = join(configFolder, 'joined-authority.crt')
  const last = await readIfThere(kept)
  // What was seen once needs no control plane to be there again.
  if (!fingerprint || (last && isOf(last, fingerprint))) return last
  const pem = await patientAuthorityOf(new URL(url), signal, patienceMs)
  if (!isOf(pem, fingerprint))
    throw refused(
      'The control plane at this address shows another authority than the one you were told of.',
      'Check the address and the fingerprint; make a new line with `kalnet controllers enrol`.',
    )
  await writeWhole(kept, pem, 0o644)
  return pem
}

async function patientAuthorityOf(url: URL, signal: AbortSignal, patienceMs: number): Promise<string> {
  const until = Date.now() + patienceMs
  for (;;) {
    try {
      return await authorityOf(url, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Nobody there; what somebody there says is told at once.
      const isAway = error instanceof CliProblem && error.exit === EXIT.failed
      if (!isAway || Date.now() > until) throw error
      await systemClock.sleep(PAUSE_MS, signal)
    }
  }
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
