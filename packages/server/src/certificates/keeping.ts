/** What people do with certificates: bring, order, renew, revoke, remove, look at them. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Outbound } from '@kalnet/io/outbound'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Store, Tx } from '../core/store.ts'
import type { Account } from './acme/account.ts'
import type { Challenges } from './acme/challenges.ts'
import { within, wordsOf } from './acme/transport.ts'
import { nextSecretOf } from './acme/worker.ts'
import { judge } from './own.ts'
import { type Host, secretOf } from './serving.ts'
import { shapeCertificate } from './shape.ts'
import { type CertificateRow, statements } from './store.ts'

export interface KeepingOptions {
  store: Store
  secrets: Secrets
  events: Events
  clock: Clock
  domain: string
  hosts(): Iterable<Host>
  account: Account
  challenges: Challenges
  outbound(): Promise<Outbound>
  /** Something is due now. */
  wake(): void
  changed(tx: Tx, id: string): Promise<void>
}

const MOST = 500
const order = (problem: string) => fail('certificate.order', { problem })
const parentOf = (name: string) => name.slice(name.indexOf('.') + 1)

export function createKeeping(options: KeepingOptions) {
  const { store, secrets, events, clock, account, challenges, changed } = options
  const home = (actor: Actor) => store.as(actor.organisationId)
  const shape = (row: CertificateRow) => shapeCertificate(row, clock.now().getTime())

  async function mine(tx: Tx, actor: Actor, id: string, how: 'network.read' | 'network.manage') {
    const statement = how === 'network.read' ? statements.byId : statements.lock
    const row = (await statement({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'certificate' })
    demand(actor, how, { organisationId: row.organisation_id, userId: null }, 'certificate')
    return row
  }
  const changeMine = (actor: Actor, id: string, work: (tx: Tx, row: CertificateRow) => Promise<unknown>) =>
    home(actor).transaction(async (tx) => {
      await work(tx, await mine(tx, actor, id, 'network.manage'))
      await changed(tx, id)
      return shape(await mine(tx, actor, id, 'network.read'))
    })

  async function add(
    tx: Tx,
    actor: Actor,
    what: Omit<Parameters<typeof statements.add>[0], 'id' | 'organisationId' | 'at'>,
  ) {
    const { count } = (await statements.count().execute(tx)).rows[0] ?? { count: 0 }
    if (count >= MOST)
      throw fail('request.invalid', { problem: `there are ${MOST} certificates already; remove one first` })
    const id = newId()
    await statements.add({ id, organisationId: actor.organisationId, at: stamp(clock), ...what }).execute(tx)
    return id
  }

  /** The first organisation runs the installation and may order any name; the others only names of their own routes. */
  async function assertOwn(actor: Actor, names: string[]): Promise<void> {
    const first = (await store.system.read((tx) => statements.firstOrganisation().execute(tx))).rows[0]?.id
    if (actor.organisationId === first) return
    const own = new Set<string>()
    for (const { host, organisationId } of options.hosts())
      if (organisationId === actor.organisationId) own.add(host)
    const strange = names.find((name) => !own.has(name))
    if (strange) throw order(`no route of yours is at ${strange}`)
  }

  return {
    async list(actor: Actor, { after = null, limit }: { after?: string | null | undefined; limit: number }) {
      const { rows } = await home(actor).read((tx) => statements.list({ after, limit }).execute(tx))
      return rows.map(shape)
    },
    read: async (actor: Actor, id: string): Promise<Certificate> =>
      shape(await home(actor).read((tx) => mine(tx, actor, id, 'network.read'))),
    async bring(actor: Actor, body: { certificate: string; key: string }): Promise<Certificate> {
      const { names, key, facts } = judge(body.certificate, body.key, clock.now())
      return home(actor).transaction(async (tx) => {
        const id = await add(tx, actor, {
          source: 'own',
          names,
          state: 'valid',
          challenge: null,
          step: null,
          nextAt: null,
        })
        await secrets.put(tx, actor.organisationId, secretOf(id), key)
        await statements.given({ id, ...facts, nextAt: null, at: stamp(clock) }).execute(tx)
        await changed(tx, id)
        return shape(await mine(tx, actor, id, 'network.read'))
      })
    },
    async order(actor: Actor, body: { names: string[]; challenge: 'http-01' | 'dns-01' }) {
      const names = [...new Set(body.names)]
      const covered = names.find((name) => names.includes(`*.${parentOf(name)}`) && !name.startsWith('*.'))
      if (covered) throw order(`${covered} is covered by *.${parentOf(covered)} already; leave it out`)
      const wild = names.find((name) => name.startsWith('*.'))
      if (wild && body.challenge === 'http-01')
        throw order(`${wild} stands for many names; authorities give that by dns-01 only`)
      const single = names.find((name) => !name.includes('.'))
      if (single) throw order(`${single} is not a name of the internet`)
      if (body.challenge === 'dns-01' && !challenges.hasDns())
        throw order('for dns-01 the DNS server of Kalnet has to be switched on (dns.enabled)')
      await assertOwn(actor, names)
      const made = await home(actor).transaction(async (tx) => {
        const id = await add(tx, actor, {
          source: 'acme',
          names,
          state: 'ordering',
          challenge: body.challenge,
          step: 'order',
          nextAt: stamp(clock),
        })
        await changed(tx, id)
        return shape(await mine(tx, actor, id, 'network.read'))
      })
      options.wake()
      return made
    },
    async renew(actor: Actor, id: string): Promise<Certificate> {
      const made = await changeMine(actor, id, async (tx, row) => {
        if (row.source === 'own') throw order('it was brought by somebody; bring a new one')
        const state = row.state === 'valid' ? 'valid' : 'ordering'
        // An order under way goes on, now instead of later.
        const step = row.step ?? 'order'
        const at = stamp(clock)
        const orderUrl = row.step ? row.order_url : null
        await statements.move({ id, step, orderUrl, state, failures: 0, nextAt: at, at }).execute(tx)
      })
      options.wake()
      return made
    },
    async revoke(actor: Actor, id: string, signal: AbortSignal): Promise<Certificate> {
      const row = await home(actor).read((tx) => mine(tx, actor, id, 'network.read'))
      const { chain } = row
      if (row.source === 'own')
        throw order('only whoever gave it to you can revoke it; remove it here instead')
      if (row.state === 'revoked') return shape(row)
      if (chain === null) throw order('it was never given')
      try {
        const way = { outbound: await options.outbound(), signal }
        await within(way, async () =>
          (await account.client()).revokeCertificate(chain.slice(0, endOfFirst(chain))),
        )
      } catch (error) {
        // It was said already, and we were cut off before we wrote it down.
        if (!/already revoked/i.test(wordsOf(error))) throw order(wordsOf(error))
      }
      return changeMine(actor, id, async (tx) => {
        await statements.revoked({ id, at: stamp(clock) }).execute(tx)
        await dropKeys(tx, row)
      })
    },
    async remove(actor: Actor, id: string): Promise<Certificate> {
      return home(actor).transaction(async (tx) => {
        const row = await mine(tx, actor, id, 'network.manage')
        await dropKeys(tx, row)
        await statements.remove({ id }).execute(tx)
        const where = { organisationId: row.organisation_id, userId: null }
        await events.publish(tx, 'certificate.removed', where, { id })
        return shape(row)
      })
    },
  }

  async function dropKeys(tx: Tx, row: CertificateRow) {
    await secrets.drop(tx, row.organisation_id, secretOf(row.id))
    await secrets.drop(tx, row.organisation_id, nextSecretOf(row.id))
  }
}
export type Keeping = ReturnType<typeof createKeeping>

const END = '-----END CERTIFICATE-----'
const endOfFirst = (chain: string) => chain.indexOf(END) + END.length
