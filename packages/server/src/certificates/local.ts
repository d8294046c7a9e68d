/**
 * Certificates of the local authority, made when a name of ours is first asked for. Their keys are never stored: they
 * live in this process, and the certificates for a month at most.
 */
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock } from '@kalnet/io/clock'
import { issue, pemOf, type Signer } from '../core/x509.ts'

const LIFE_HOURS = 30 * 24
/** Made anew when a third of its life is left. */
const RENEW_MS = (LIFE_HOURS * 3_600_000) / 3
/** Names are those of routes, so only a very large home has more. */
const MOST = 1_000

/** PEM, and when it ends. */
export interface Pem {
  chain: string
  key: string
  end: string
}
interface Kept {
  made: Promise<Pem & { context: SecureContext }>
  notAfter: number
}
export interface Local {
  /** The caller has judged that it is a name of ours. */
  contextFor(names: readonly [string, ...string[]]): Promise<SecureContext>
  /** The same for a gateway of its own, which the caller has judged too. */
  pemFor(names: readonly [string, ...string[]]): Promise<Pem>
  /** When the one that is served now ends; null: none was asked for yet. */
  endOf(name: string): string | null
}

export function createLocal({ authority, clock }: { authority(): Promise<Signer>; clock: Clock }): Local {
  const kept = new Map<string, Kept>()

  async function make(names: readonly [string, ...string[]], notAfter: number) {
    const signer = await authority()
    const now = clock.now().getTime()
    const { certificate, key } = await issue(signer, { title: names[0], names, now, hours: LIFE_HOURS })
    const chain = certificate + pemOf(signer.certificate)
    const context = createSecureContext({ cert: chain, key })
    return { chain, key, end: new Date(notAfter).toISOString(), context }
  }
  function madeFor(names: readonly [string, ...string[]]): Kept['made'] {
    const name = names.join(' ')
    const now = clock.now().getTime()
    const found = kept.get(name)
    if (found && found.notAfter - now > RENEW_MS) return found.made
    const oldest = kept.keys().next().value
    if (kept.size >= MOST && oldest !== undefined) kept.delete(oldest)
    const notAfter = now + LIFE_HOURS * 3_600_000
    const made = make(names, notAfter)
    kept.delete(name)
    kept.set(name, { made, notAfter })
    // What failed is not kept: the next one tries again.
    made.catch(() => kept.delete(name))
    return made
  }

  return {
    contextFor: async (names) => (await madeFor(names)).context,
    async pemFor(names) {
      const { chain, key, end } = await madeFor(names)
      return { chain, key, end }
    },
    endOf: (name) => {
      const found = kept.get(name)
      return found ? new Date(found.notAfter).toISOString() : null
    },
  }
}
