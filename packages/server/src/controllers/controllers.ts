/** Controllers as rows: enrolment by one-use token, state, revocation. The live connections are the hub's. */
import { createHash, randomBytes } from 'node:crypto'
import type { ClusterReport, ClusterView } from '@kalnet/contracts/cluster'
import type { Controller, ControllerChange, FromController } from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { Clock } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import type { Events } from '../core/events.ts'
import type { Scope, Store, Tx } from '../core/store.ts'
import { type ControllerRow, statements } from './store.ts'
import { createTurns } from './turns.ts'

/** What a controller measured of itself. */
type Seen = Pick<Extract<FromController, { type: 'inventory' }>, 'fingerprints' | 'capacity'>
type Also = (tx: Tx, controllerId: string) => Promise<void>

const TOKEN_MS = 3_600_000
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')

const unknown = () => fail('thing.unknown', { kind: 'controller' })

export const shape = (row: ControllerRow): Controller => ({
  id: row.id,
  name: row.name,
  hostname: row.hostname,
  version: row.version,
  state: row.online ? 'online' : row.last_seen_at ? 'offline' : 'never-connected',
  lastSeenAt: row.last_seen_at,
  fingerprints: row.fingerprints,
  capacity: row.capacity,
  instances: row.instances,
  cordoned: row.cordoned,
  labels: row.labels,
  installation: row.organisation_id === null,
  createdAt: row.created_at,
})

export function createControllers({ store, events, clock }: { store: Store; events: Events; clock: Clock }) {
  const rowOf = async (tx: Tx, id: string) => (await statements.read({ id }).execute(tx)).rows[0]

  /** Says to everybody who may see it what the controller is now. */
  const tell = async (tx: Tx, id: string) => {
    const row = await rowOf(tx, id)
    if (row)
      await events.publish(
        tx,
        'controller.changed',
        { organisationId: row.organisation_id, userId: null },
        shape(row),
      )
  }

  /**
   * Where its rows may be changed by this actor: an organisation's own by its stewards, the installation's by the CLI on its
   * machine only. Throws thing.unknown for a foreign one, permission.denied for the installation's.
   */
  const managed = async (
    actor: Actor,
    id: string,
  ): Promise<{ scope: Scope; organisationId: string | null }> => {
    const row = await store.as(actor.organisationId).read((tx) => rowOf(tx, id))
    if (!row) throw unknown()
    const organisationId = row.organisation_id
    if (organisationId === null) {
      if (actor.kind !== 'local-cli') throw fail('permission.denied')
      return { scope: store.system, organisationId }
    }
    demand(actor, 'controller.manage', { organisationId, userId: null }, 'controller')
    return { scope: store.as(organisationId), organisationId }
  }

  return {
    /** For whoever places something: one after the other. */
    inTurn: createTurns(clock),

    async list(organisationId: string, after: string | null, limit: number) {
      const rows = await store
        .as(organisationId)
        .read(async (tx) => (await statements.list({ after, limit: limit + 1 }).execute(tx)).rows)
      const items = rows.slice(0, limit).map(shape)
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
    },

    /** Those an organisation's instances may be placed on. */
    serving: async (tx: Tx, organisationId: string): Promise<Controller[]> =>
      (await statements.serving({ organisationId }).execute(tx)).rows.map(shape),

    /** Whose machine's network the addresses of each one's instances belong to; null: it did not say. */
    machines: async (tx: Tx): Promise<Map<string, string | null>> =>
      new Map((await statements.machines().execute(tx)).rows.map((row) => [row.id, row.machine])),

    publicKeyOf: (id: string): Promise<string | null> =>
      store.system.read(async (tx) => (await rowOf(tx, id))?.public_key ?? null),

    /** From now on only this one is valid. False when there is no such controller (any more). */
    renewKey: (id: string, publicKey: string): Promise<boolean> =>
      store.system.transaction(
        async (tx) => (await statements.renewKey({ id, publicKey }).execute(tx)).rows.length > 0,
      ),

    /** organisationId null: a controller of the installation, which serves everybody. Only the local CLI makes those. */
    async makeToken(
      organisationId: string | null,
      name: string,
    ): Promise<{ token: string; expiresAt: string }> {
      const token = `kce_${randomBytes(24).toString('base64url')}`
      const now = clock.now()
      const expiresAt = new Date(now.getTime() + TOKEN_MS)
      await store.system.transaction(async (tx) => {
        await statements.dropExpiredTokens({ now }).execute(tx)
        await statements.addToken({ hash: hashOf(token), organisationId, name, expiresAt }).execute(tx)
      })
      return { token, expiresAt: expiresAt.toISOString() }
    },

    /** Throws controller.token when the token is unknown, used or expired. */
    async enrol({
      token,
      name,
      publicKey,
    }: {
      token: string
      name: string
      publicKey: string
    }): Promise<string> {
      const id = newId()
      const now = clock.now()
      await store.system.transaction(async (tx) => {
        const used = (await statements.useToken({ hash: hashOf(token), now }).execute(tx)).rows[0]
        if (!used) throw fail('controller.token')
        await statements
          .add({ id, organisationId: used.organisation_id, name: used.name || name, publicKey, now })
          .execute(tx)
        await tell(tx, id)
      })
      return id
    },

    managed,

    /** What is not named stays as it is. Cordoned, everything that was beginning there has begun or is refused. */
    async change(actor: Actor, id: string, change: ControllerChange): Promise<Controller> {
      const { scope } = await managed(actor, id)
      return scope.transaction(async (tx) => {
        if (change.cordoned) await statements.lockClosing({ id }).execute(tx)
        const { name = null, cordoned = null, labels = null } = change
        await statements.change({ id, name, cordoned, labels }).execute(tx)
        await tell(tx, id)
        const row = await rowOf(tx, id)
        if (!row) throw unknown()
        return shape(row)
      })
    },

    /** Something is about to begin there. Throws controller.cordoned; whoever cordons it meanwhile waits until this is committed. */
    async open(tx: Tx, id: string): Promise<void> {
      await statements.lockOpening({ id }).execute(tx)
      const row = await rowOf(tx, id)
      if (row?.cordoned) throw fail('controller.cordoned', { name: row.name })
    },

    /** `leaving` stands before its rows go. */
    async revoke(actor: Actor, id: string, leaving: (tx: Tx) => Promise<void>): Promise<void> {
      const { scope, organisationId } = await managed(actor, id)
      await scope.transaction(async (tx) => {
        const there = (await statements.lock({ id }).execute(tx)).rows[0]
        if (!there) throw unknown()
        await leaving(tx)
        await statements.remove({ id }).execute(tx)
        await events.publish(tx, 'controller.removed', { organisationId, userId: null }, { id })
      })
    },

    /** False when there is no such controller (any more). */
    connected: (
      id: string,
      said: { hostname: string; version: string; machine: string | null },
    ): Promise<boolean> =>
      store.system.transaction(async (tx) => {
        const { rows } = await statements.connected({ id, ...said, now: clock.now() }).execute(tx)
        return rows.length > 0
      }),
    /** `also` stands in the same transaction: what else is true with it. */
    inventory: (id: string, { fingerprints, capacity }: Seen, also?: Also) =>
      store.system.transaction(async (tx) => {
        await statements.inventory({ id, fingerprints, capacity, now: clock.now() }).execute(tx)
        await tell(tx, id)
        await also?.(tx, id)
      }),
    /** What it tells of its cluster: said to people only where it is news. */
    noteCluster: (id: string, cluster: ClusterReport) =>
      store.system.transaction(async (tx) => {
        const changed = (await statements.noteCluster({ id, cluster, now: clock.now() }).execute(tx)).rows[0]
        if (!changed) return
        const whose = { organisationId: changed.organisation_id, userId: null }
        await events.publish(tx, 'cluster.changed', whose, { id })
      }),
    /** Throws thing.unknown for a foreign one. */
    cluster: (
      organisationId: string,
      id: string,
    ): Promise<{ toldAt: string | null; cluster: ClusterView | null }> =>
      store.as(organisationId).read(async (tx) => {
        const row = (await statements.readCluster({ id }).execute(tx)).rows[0]
        if (!row) throw unknown()
        if (!row.cluster) return { toldAt: null, cluster: null }
        const ids = row.cluster.waiting.map((it) => it.instanceId)
        const { rows } = await statements.instanceNames({ ids }).execute(tx)
        const names = new Map(rows.map(({ instance_id, ...of }) => [instance_id, of]))
        const waiting = row.cluster.waiting.map((it) => ({ ...it, of: names.get(it.instanceId) ?? null }))
        return { toldAt: row.cluster_at, cluster: { ...row.cluster, waiting } }
      }),
    /** A beat is not an event: 1,000 controllers would fill the outbox with nothing new. */
    heartbeat: (id: string, capacity: Seen['capacity']) =>
      store.system.transaction(async (tx) => {
        await statements.heartbeat({ id, capacity, now: clock.now() }).execute(tx)
      }),
    disconnected: (id: string, also: Also) =>
      store.system.transaction(async (tx) => {
        await statements.disconnected({ id }).execute(tx)
        await tell(tx, id)
        await also(tx, id)
      }),
    /** Whatever a killed control plane left: nobody is connected to this one yet. */
    allDisconnected: (also: Also) =>
      store.system.transaction(async (tx) => {
        for (const { id } of (await statements.allDisconnected().execute(tx)).rows) {
          await tell(tx, id)
          await also(tx, id)
        }
      }),
  }
}
export type Controllers = ReturnType<typeof createControllers>
