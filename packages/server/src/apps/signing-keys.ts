/** The keys we sign with for apps: sealed, one in use, the next published ahead of its use, old ones until nothing signed by them is alive. */
import { generateKeyPair, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { JWK } from 'oidc-provider'
import { v7 as newId } from 'uuid'
import { z } from 'zod'
import type { Secrets } from '../core/secrets.ts'
import { aside, type Store, type Tx } from '../core/store.ts'
import { lockKeys } from './keys.store.ts'

const DAY_MS = 24 * 3600_000
/** A key signs for so long, then the next takes over by itself. */
const IN_USE_MS = 90 * DAY_MS
/** As long as a sign-in may last: apps show old id tokens when they sign people out. */
const KEPT_MS = 31 * DAY_MS
/** Replicas see a change after this; the key they sign with until then is still published. */
const FRESH_MS = 30_000

const NAME = 'openid signing keys'
const kept = z.array(
  z.object({
    jwk: z.record(z.string(), z.unknown()),
    state: z.enum(['next', 'used', 'old']),
    /** When it came into its state. */
    since: z.string(),
  }),
)
type Kept = z.infer<typeof kept>

/** RS256: what every relying party must understand (OpenID Connect Core 1.0, §15.1); 3072 bits are as strong as 128 of a cipher. */
async function newKey(): Promise<Record<string, unknown>> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 })
  const jwk: JsonWebKey = privateKey.export({ format: 'jwk' })
  return { ...jwk, kid: newId(), use: 'sig', alg: 'RS256' }
}

export interface SigningKeys {
  /** The key in use first; the same array until something changed. */
  current(): Promise<readonly JWK[]>
  rotate(): Promise<string[]>
}

export function createSigningKeys(options: { store: Store; secrets: Secrets; clock: Clock }): SigningKeys {
  const { store, secrets, clock } = options
  let known: { keys: readonly JWK[]; text: string; at: number } | null = null

  const age = (it: Kept[number]) => clock.now().getTime() - Date.parse(it.since)
  const save = (tx: Tx, keys: Kept) => secrets.put(tx, null, NAME, JSON.stringify(keys))

  /** The key in use becomes old, the next is used, a new next is published. `spare` is made before the lock. */
  function stepped(keys: Kept, spare: Record<string, unknown>): Kept {
    const since = stamp(clock)
    const before = keys
      .filter((it) => it.state !== 'next')
      .map((it) => (it.state === 'used' ? { ...it, state: 'old' as const, since } : it))
    const next = keys.find((it) => it.state === 'next')
    return [
      { jwk: next?.jwk ?? spare, state: 'used', since },
      ...(next ? [{ jwk: spare, state: 'next' as const, since }] : []),
      ...before.filter((it) => age(it) < KEPT_MS),
    ]
  }

  async function change(when: (keys: Kept) => boolean): Promise<string> {
    const spares = [await newKey(), await newKey()] as const
    return aside(() =>
      store.system.transaction(async (tx) => {
        // Two replicas at the same moment: the second finds what the first made.
        await lockKeys().execute(tx)
        const text = await secrets.get(tx, null, NAME)
        const keys = text === null ? [] : kept.parse(JSON.parse(text))
        if (!when(keys)) return text ?? '[]'
        let after = stepped(keys, spares[0])
        if (!after.some((it) => it.state === 'next'))
          after = [...after, { jwk: spares[1], state: 'next', since: stamp(clock) }]
        await save(tx, after)
        return JSON.stringify(after)
      }),
    )
  }

  const isDue = (keys: Kept) => {
    const used = keys.find((it) => it.state === 'used')
    return !used || age(used) > IN_USE_MS
  }
  function remember(text: string): readonly JWK[] {
    const at = clock.now().getTime()
    if (known?.text === text) {
      known.at = at
      return known.keys
    }
    const order = { used: 0, next: 1, old: 2 }
    const keys = kept
      .parse(JSON.parse(text))
      .sort((one, other) => order[one.state] - order[other.state])
      .map((it) => it.jwk as unknown as JWK)
    known = { keys, text, at }
    return keys
  }

  return {
    async current() {
      if (known && clock.now().getTime() - known.at < FRESH_MS) return known.keys
      const text = await store.system.read((tx) => secrets.get(tx, null, NAME))
      const due = text === null || isDue(kept.parse(JSON.parse(text)))
      return remember(due ? await change(isDue) : text)
    },
    async rotate() {
      return remember(await change(() => true)).map((key) => String(key.kid))
    },
  }
}
