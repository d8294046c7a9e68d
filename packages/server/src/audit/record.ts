/** Writing a row: in the transaction of its change, or on its own for a refusal. */
import { v7 as newId } from 'uuid'
import type { AuditEntry } from '../core/call.ts'
import type { RecordAudit } from '../core/http.ts'
import { aside, type Store } from '../core/store.ts'
import type { Flood } from './flood.ts'
import { statements } from './store.ts'

/** What PostgreSQL cannot keep in text: NUL, and halves of a pair. Whatever somebody sends, the row is written. */
const storable = (text: string) => text.replaceAll('\0', '\u2400').toWellFormed()
const LONGEST = 2_000
/** The local CLI before anybody has claimed acts for no organisation: that is on record of the installation. */
const NOBODY = '00000000-0000-0000-0000-000000000000'
const somebody = (id: string | null) => (id === NOBODY ? null : id)

function shape(entry: AuditEntry) {
  const details = Object.entries(entry.details).map(([name, value]) => [
    storable(name),
    typeof value === 'string' ? storable(value.slice(0, LONGEST)) : value,
  ])
  return {
    ...entry,
    organisationId: somebody(entry.organisationId),
    userId: somebody(entry.userId),
    object: entry.object === null ? null : storable(entry.object.slice(0, LONGEST)),
    details: JSON.stringify(Object.fromEntries(details)),
  }
}

export interface RecordOptions {
  store: Store
  flood: Flood
  /** A row was written: the sealer need not wait for its next look. */
  wake(): void
}

export function createRecord({ store, flood, wake }: RecordOptions): RecordAudit {
  const add = (entry: AuditEntry) =>
    aside(() => store.system.transaction((tx) => statements.add(shape(entry)).execute(tx)))

  return async function record(tx, entry, again) {
    if (again) {
      const completed = await aside(() =>
        store.system.transaction(async (own) => {
          await statements.beforeSealing().execute(own)
          return (await statements.complete(shape(entry)).execute(own)).rows.length > 0
        }),
      )
      // Sealed meanwhile: what was learnt later is a row of its own, which says whose details these are.
      if (!completed) await add({ ...entry, id: newId(), details: { ...entry.details, completes: entry.id } })
    } else if (tx) await statements.add(shape(entry)).execute(tx)
    else if (flood.admits(entry)) await add(entry)
    wake()
  }
}
