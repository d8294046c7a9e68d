/** Our account at an ACME authority: one for each directory, its key sealed. Asking for it again gives the same one. */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { Secrets } from '../../core/secrets.ts'
import type { Store } from '../../core/store.ts'
import { statements } from '../store.ts'
import { createClient } from './transport.ts'

const kept = z.object({ key: z.string(), url: z.string().optional() })

/** ECDSA P-256 in PKCS#8. */
export async function newKeyPem(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' })
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

export interface AccountOptions {
  store: Store
  secrets: Secrets
  directory: string
  email: string | undefined
}
export type Acme = ReturnType<typeof createClient>

export function createAccount({ store, secrets, directory, email }: AccountOptions) {
  const name = `acme account ${directory}`

  /** The key first and for good, then the account: cut off between, the next one finds the same account by the same key. */
  async function known(): Promise<z.infer<typeof kept>> {
    const spare = await newKeyPem()
    return store.system.transaction(async (tx) => {
      await statements.lockAuthority({ name }).execute(tx)
      const text = await secrets.get(tx, null, name)
      if (text !== null) return kept.parse(JSON.parse(text))
      await secrets.put(tx, null, name, JSON.stringify({ key: spare }))
      return { key: spare }
    })
  }

  return {
    /** Called within a step: it may ask the authority. */
    async client(): Promise<Acme> {
      const { key, url } = await known()
      if (url) return createClient({ directory, accountKey: key, accountUrl: url })
      const client = createClient({ directory, accountKey: key })
      await client.createAccount({
        termsOfServiceAgreed: true,
        ...(email ? { contact: [`mailto:${email}`] } : {}),
      })
      const made = { key, url: client.getAccountUrl() }
      await store.system.transaction((tx) => secrets.put(tx, null, name, JSON.stringify(made)))
      return client
    },
    /** The authority does not know it any more: it is made again with the same key. */
    async forget(): Promise<void> {
      const { key } = await known()
      await store.system.transaction((tx) => secrets.put(tx, null, name, JSON.stringify({ key })))
    },
  }
}
export type Account = ReturnType<typeof createAccount>
