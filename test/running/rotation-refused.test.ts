/** What gives a controller no new key: forged proofs, links that are not the one that was asked, and people who may not ask. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { keyText } from '@kalnet/contracts/controller'
import { sql } from '@kalnet/server/core/store'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectBare, enrolBare } from './bare.ts'
import { type Person, type Plane, startPlane, WAIT } from './support.ts'

let plane: Plane
let ada: Person
const closers: (() => void)[] = []
beforeAll(async () => {
  plane = await startPlane()
  ada = await plane.claim()
})
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  await plane.calm()
})
afterAll(() => plane.end())

const rotate = (id: string, given: object = { as: ada.secret }) =>
  plane.ask('POST', `/api/controllers/${id}/rotate`, { body: {}, ...given })
const storedKey = (id: string) =>
  plane.store.system.read(
    async (tx) =>
      (
        await sql<{ public_key: string }>`select public_key from controllers where id = ${id}::uuid`.execute(
          tx,
        )
      ).rows[0]?.public_key,
  )
/** A key of its own, as the messages carry it. */
function strangeKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64'),
    prove: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  }
}

describe('a new key', () => {
  it.each([
    ['of another text', (prove: (text: string) => string) => prove('kalnet-key')],
    ['of another request', (prove: (text: string) => string, id: string) => prove(keyText(id, 'other'))],
    ['made up', () => randomBytes(64).toString('base64')],
    ['that is none', () => ''],
  ])('[CTL-2.rotation] a proof %s is refused, and nothing is stored', async (_name, forge) => {
    const bare = await enrolBare(plane, await plane.token(ada))
    const key = strangeKey()
    const old = await storedKey(bare.controllerId)
    const link = bare.connect({
      onMessage(message) {
        if (message.type === 'key.rotate')
          link.say({
            type: 'key.new',
            requestId: message.requestId,
            publicKey: key.publicKey,
            signature: forge(key.prove, bare.controllerId),
          })
      },
    })
    closers.push(link.close)
    await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
    const answer = await rotate(bare.controllerId)
    expect([answer.status, answer.body.error?.code]).toEqual([401, 'controller.signature'])
    expect(await link.closed).toBe(4401)
    expect(link.of('key.accepted')).toEqual([])
    expect(await storedKey(bare.controllerId)).toBe(old)
  })

  it('[CTL-2.rotation] nobody gives a new key who has not proved the old one, or was not asked', async () => {
    const bare = await enrolBare(plane, await plane.token(ada))
    const old = await storedKey(bare.controllerId)
    const key = strangeKey()
    const requestId = '01890000-0000-7000-8000-000000000001'
    const say = {
      type: 'key.new' as const,
      requestId,
      publicKey: key.publicKey,
      signature: key.prove(keyText(bare.controllerId, requestId)),
    }
    // Before its hello: the first message must be hello.
    const early = connectBare(
      plane,
      bare.controllerId,
      () => '',
      true,
      (message) => {
        if (message.type === 'challenge') early.say(say)
      },
    )
    closers.push(early.close)
    expect(await early.closed).toBe(4400)
    // Proved, and nobody asked.
    const link = bare.connect()
    closers.push(link.close)
    await expect.poll(() => link.of('welcome').length, WAIT).toBe(1)
    link.say(say)
    link.inventory()
    await expect.poll(() => link.of('desired.all').length, WAIT).toBe(1)
    expect(await storedKey(bare.controllerId)).toBe(old)
    expect(link.of('key.accepted')).toEqual([])
  })

  it('[CTL-2.rotation] the answer of another controller, and one on a newer link, change nothing', async () => {
    const [victim, thief] = [
      await enrolBare(plane, await plane.token(ada, 'victim'), 'victim'),
      await enrolBare(plane, await plane.token(ada, 'thief'), 'thief'),
    ]
    const old = await storedKey(victim.controllerId)
    const key = strangeKey()
    const newKey = (requestId: string) => ({
      type: 'key.new' as const,
      requestId,
      publicKey: key.publicKey,
      signature: key.prove(keyText(victim.controllerId, requestId)),
    })
    const other = thief.connect()
    let newer: typeof other | null = null
    const link = victim.connect({
      onMessage(message) {
        if (message.type !== 'key.rotate') return
        other.say(newKey(message.requestId))
        newer = victim.connect({
          onMessage: (it) => {
            if (it.type === 'welcome') newer?.say(newKey(message.requestId))
          },
        })
      },
    })
    closers.push(other.close, link.close, () => newer?.close())
    await expect.poll(() => link.of('welcome').length + other.of('welcome').length, WAIT).toBe(2)
    const answer = await rotate(victim.controllerId)
    expect([answer.status, answer.body.error?.code]).toEqual([503, 'controller.offline'])
    expect(await storedKey(victim.controllerId)).toBe(old)
  })
})

describe('who may ask', () => {
  it('[CTL-2.rotation] an organisation for its own, the CLI for the installation, nobody for what is not there', async () => {
    const own = await plane.addController(ada.organisationId)
    const foreign = await plane.addController((await plane.person('owner')).organisationId)
    const installation = (await enrolBare(plane, await plane.token())).controllerId
    const said = async (id: string, given?: object) => (await rotate(id, given)).body.error?.code
    expect(await said(own)).toBe('controller.offline')
    expect(await said(foreign)).toBe('thing.unknown')
    expect(await said(installation)).toBe('permission.denied')
    expect(await said(installation, { local: true })).toBe('controller.offline')
    const member = await plane.person('member', ada.organisationId)
    expect(await said(own, { as: member.secret })).toBe('permission.denied')
  })
})
