/** Who did what, from where, and what was refused: written by the pipeline, never by a handler. */
import type { RecordAudit } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { statements } from './store.ts'

export function createAudit({ store }: { store: Store }): { record: RecordAudit } {
  return {
    async record(tx, entry, again) {
      const details = JSON.stringify(entry.details)
      if (again) {
        await store.system.transaction((own) =>
          statements.complete({ id: entry.id, object: entry.object, details }).execute(own),
        )
        return
      }
      const row = statements.add({ ...entry, details })
      if (tx) await row.execute(tx)
      else await store.system.transaction((own) => row.execute(own))
    },
  }
}
