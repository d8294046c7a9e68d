/** What people and groups have in common: read, replaced and patched, one change at a time, from the version that the other side knows. */
import type { Actor } from '@kalnet/contracts/permission'
import type { ScimQuery, ScimResource } from '@kalnet/contracts/scim'
import type { Store, Tx } from '../core/store.ts'
import { unknownThing } from './refusal.ts'
import { checkedResource, type Kind, patchedResource } from './schema.ts'
import { listOf } from './shown.ts'
import { statements } from './store.ts'

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export const isId = (text: string) => ID.test(text)
/** Throws unless the version the other side knows is the one there is (RFC 7644 §3.14). */
export type Precondition = (resource: ScimResource) => void

/** Keeps what is done once the change is committed. */
export type Later = (act: () => void) => void

interface ThingsOptions<Row> {
  store: Store
  kind: Kind
  rows(tx: Tx): Promise<Row[]>
  row(tx: Tx, id: string): Promise<Row | undefined>
  shown(row: Row): ScimResource
  /** Makes the row what the resource says. */
  write(tx: Tx, row: Row, resource: ScimResource, later: Later): Promise<void>
  /** A row that says nothing yet. */
  begin(tx: Tx, actor: Actor, resource: ScimResource, later: Later): Promise<Row>
  remove(tx: Tx, row: Row, later: Later): Promise<void>
}

export function createThings<Row extends { id: string }>(options: ThingsOptions<Row>) {
  const { store, kind, shown } = options
  const home = (actor: Actor) => store.as(actor.organisationId)

  async function reread(tx: Tx, id: string): Promise<Row> {
    const row = isId(id) ? await options.row(tx, id) : undefined
    if (!row) throw unknownThing(kind === 'User' ? 'person' : 'group')
    return row
  }
  /** One change at a time in an organisation; what it starts from is what there is. */
  async function changing<T>(actor: Actor, work: (tx: Tx, later: Later) => Promise<T>): Promise<T> {
    let acts: (() => void)[] = []
    const done = await home(actor).transaction(async (tx) => {
      // Tried again, it begins again.
      acts = []
      await statements.lock({ organisationId: actor.organisationId }).execute(tx)
      return work(tx, (act) => acts.push(act))
    })
    for (const act of acts) act()
    return done
  }
  type Next = (before: ScimResource) => ScimResource | Promise<ScimResource>
  const change = (actor: Actor, id: string, precondition: Precondition, next: Next) =>
    changing(actor, async (tx, later) => {
      const row = await reread(tx, id)
      const before = shown(row)
      precondition(before)
      await options.write(tx, row, checkedResource(kind, await next(before)), later)
      return shown(await reread(tx, id))
    })

  return {
    list: (actor: Actor, query: ScimQuery) =>
      home(actor).read(async (tx) => listOf((await options.rows(tx)).map(shown), query)),
    read: (actor: Actor, id: string) => home(actor).read(async (tx) => shown(await reread(tx, id))),
    add: (actor: Actor, body: ScimResource) =>
      changing(actor, async (tx, later) => {
        const { id } = await options.begin(tx, actor, checkedResource(kind, body), later)
        return shown(await reread(tx, id))
      }),
    put: (actor: Actor, id: string, body: ScimResource, precondition: Precondition) =>
      change(actor, id, precondition, () => body),
    patch: (actor: Actor, id: string, body: ScimResource, precondition: Precondition) =>
      change(actor, id, precondition, (before) => patchedResource(kind, before, body)),
    remove: (actor: Actor, id: string, precondition: Precondition) =>
      changing(actor, async (tx, later) => {
        const row = await reread(tx, id)
        precondition(shown(row))
        await options.remove(tx, row, later)
      }),
  }
}
export type Things = ReturnType<typeof createThings>
