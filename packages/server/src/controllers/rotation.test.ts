import { generateKeyPairSync, sign } from 'node:crypto'
import { keyText } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import type { ServerLink } from '@kalnet/wire/server-link'
import { describe, expect, it } from 'vitest'
import { createRotations } from './rotation.ts'

const ID = '01890000-0000-7000-8000-00000000c000'
const REQUEST = '01890000-0000-7000-8000-000000000001'

function setUp(store: (publicKey: string) => Promise<boolean>) {
  const said: string[] = []
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
  const link: ServerLink = {
    controllerId: ID,
    hello: {
      type: 'hello',
      controllerId: ID,
      protocols: [1],
      version: '1',
      url: '',
      signature: '',
      hostname: '',
    },
    protocol: 1,
    send: ({ type }) => said.push(type) > 0,
    close: (code) => void said.push(`closed ${code}`),
  }
  const signature = sign(null, Buffer.from(keyText(ID, REQUEST)), privateKey).toString('base64')
  const rotations = createRotations({
    linkOf: () => link,
    ask: async () => ({ type: 'key.new', requestId: REQUEST, publicKey: raw, signature }),
    store: (_id, key) => store(key),
  })
  return { rotations, said, raw }
}

describe('[CTL-2.rotation] storing a new key', () => {
  it('a proof that ends while a key is being stored is judged again by the stored one', async () => {
    let stored = 'old'
    const steps: string[] = []
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { rotations, raw } = setUp(async (key) => {
      await released
      stored = key
      return true
    })
    const key = await rotations.judge(ID, async () => {
      const read = stored
      steps.push(read)
      if (steps.length > 1) return read
      // While this one is under way, another link gives a new key; it is stored later.
      void rotations.rotate(ID)
      await new Promise((resolve) => setImmediate(resolve))
      setImmediate(release)
      return read
    })
    expect([steps, key]).toEqual([['old', raw], raw])
  })

  it('a store that failed sends it away to come back with the key that counts, and the next is tried anew', async () => {
    let calls = 0
    const { rotations, said } = setUp(async () => {
      calls += 1
      if (calls === 1) throw fail('store.unavailable')
      return true
    })
    await expect(rotations.rotate(ID)).rejects.toMatchObject({ code: 'store.unavailable' })
    await rotations.rotate(ID)
    expect(said).toEqual(['closed 4503', 'key.accepted'])
  })

  it('of one that was revoked meanwhile nothing is stored or told', async () => {
    const { rotations, said } = setUp(async () => false)
    await expect(rotations.rotate(ID)).rejects.toMatchObject({ code: 'thing.unknown' })
    expect(said).toEqual([])
  })
})
