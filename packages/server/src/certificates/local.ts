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

interface Kept {
  context: Promise<SecureContext>
  notAfter: number
}
export interface Local {
  /** The caller has judged that it is a name of ours. */
  contextFor(names: readonly [string, ...string[]]): Promise<SecureContext>
  /** When the one that is served now ends; null: none was asked for yet. */
  endOf(name: string): string | null
}

export function createLocal({ authority, clock }: { authority(): Promise<Signer>; clock: Clock }): Local {
  const kept = new Map<string, Kept>()

  async function make(names: readonly [string, ...string[]]): Promise<SecureContext> {
    const signer = await authority()
    const now = clock.now().getTime()
    const made = await issue(signer, { title: names[0], names, now, hours: LIFE_HOURS })
    return createSecureContext({ cert: made.certificate + pemOf(signer.certificate), key: made.key })
  }

  return {
    contextFor(names) {
      const [name] = names
      const now = clock.now().getTime()
      const found = kept.get(name)
      if (found && found.notAfter - now > RENEW_MS) return found.context
      const oldest = kept.keys().next().value
      if (kept.size >= MOST && oldest !== undefined) kept.delete(oldest)
      const context = make(names)
      kept.delete(name)
      kept.set(name, { context, notAfter: now + LIFE_HOURS * 3_600_000 })
      // What failed is not kept: the next one tries again.
      context.catch(() => kept.delete(name))
      return context
    },
    endOf: (name) => {
      const found = kept.get(name)
      return found ? new Date(found.notAfter).toISOString() : null
    },
  }
}
