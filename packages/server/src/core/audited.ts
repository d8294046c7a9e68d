/** The audit row of one call: in the transaction of its change, once, and a row of its own for a refusal. */
import { KalnetError } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import { v7 as newId } from 'uuid'
import type { AuditEntry, Tried } from './call.ts'
import { beforeCommit, type Tx } from './store.ts'

/** Writes the row: in `tx`, or in a transaction of its own when null. Called again with the same id: its object and details were completed. */
export type RecordAudit = (tx: Tx | null, entry: AuditEntry, again: boolean) => Promise<void>

export interface AuditedCall {
  action: string | null
  actor: Actor | null
  /** Known from the start: which service key it was. */
  details?: AuditEntry['details']
  /** What it is about, as the address names it; a handler may say it better. */
  object: string | null
  address: string
  requestId: string
  now(): string
  record: RecordAudit
  /** Further writes that belong to the change (an idempotency key). */
  also?: (tx: Tx) => Promise<void>
}

export function createAudited(call: AuditedCall) {
  let actor = call.actor
  let object = call.object
  let details: AuditEntry['details'] = call.details ?? {}
  let home: string | null = null
  let written: AuditEntry | null = null
  let changed = false
  let unchanged = false
  /** What the handler left running behind its answer is no longer this call. */
  let over = false
  const entry = (outcome: string): AuditEntry => ({
    id: newId(),
    organisationId: actor?.organisationId ?? home,
    at: call.now(),
    actorKind: actor?.kind ?? 'nobody',
    userId: actor?.userId ?? null,
    action: call.action ?? '',
    outcome,
    object,
    details,
    address: call.address,
    requestId: call.requestId,
  })
  return {
    add(more: AuditEntry['details'], about?: string) {
      details = { ...details, ...more }
      object = about ?? object
      changed = written !== null
    },
    actAs(who: Actor) {
      actor = who
    },
    unchanged() {
      unchanged = true
    },
    tried(account: Tried) {
      if ('hash' in account) details = { ...details, account: account.hash }
      else {
        home = account.organisationId
        object = account.userId
      }
    },
    /** Runs the handler; its first writing transaction carries the row. */
    async run<T>(work: () => Promise<T>): Promise<T> {
      const hook = async (tx: Tx) => {
        if (written || over) return () => undefined
        const row = entry('done')
        if (call.action && !unchanged) await call.record(tx, row, false)
        await call.also?.(tx)
        return () => {
          written = row
        }
      }
      const result = await beforeCommit.run(hook, work).finally(() => {
        over = true
      })
      if (unchanged) return result
      if (call.action && !written) await call.record(null, entry('done'), false)
      else if (call.action && written && changed)
        await call.record(null, { ...(written as AuditEntry), object, details }, true)
      return result
    },
    /** A change that was refused or failed. */
    async refused(error: unknown): Promise<void> {
      // Turned away for being too many says nothing about anybody, and a flood must not write a row for each of its drops.
      if (!call.action || (error instanceof KalnetError && error.code === 'request.too-many')) return
      await beforeCommit.run(null, () =>
        call.record(null, entry(error instanceof KalnetError ? error.code : 'internal'), false),
      )
    },
  }
}
