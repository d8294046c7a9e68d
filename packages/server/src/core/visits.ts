/** What is on record of an upgraded connection: that it was opened and what for, how long it lasted, or that it was refused. */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { RECORDED_UPGRADES } from '@kalnet/contracts/audit'
import { KalnetError } from '@kalnet/contracts/errors'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { v7 as newId } from 'uuid'
import type { RecordAudit } from './audited.ts'
import type { AuditEntry, Identified } from './call.ts'
import { addressOf } from './origin.ts'

export interface Visit {
  /** Before anything passes: an access that cannot be put on record does not happen. Its end is written when the socket closes. */
  opened(object: string, details: AuditEntry['details']): Promise<void>
  refused(error: unknown): void
}

export interface VisitOptions {
  record: RecordAudit
  clock: Clock
  log: Log
}

export function createVisits({ record, clock, log }: VisitOptions) {
  return (path: string, request: IncomingMessage, socket: Duplex, who: () => Identified): Visit => {
    const actions = RECORDED_UPGRADES[path]
    const requestId = newId()
    const entry = (action: string, outcome: string): AuditEntry => {
      const { actor } = who()
      return {
        id: newId(),
        organisationId: actor?.organisationId ?? null,
        at: stamp(clock),
        actorKind: actor?.kind ?? 'nobody',
        userId: actor?.userId ?? null,
        action,
        outcome,
        object: null,
        details: {},
        address: addressOf(request),
        requestId,
      }
    }
    const later = (row: AuditEntry) =>
      void record(null, row, false).catch((problem: unknown) =>
        log.warn(
          { problem: problem instanceof Error ? problem.message : '', action: row.action },
          'a connection is not in the audit',
        ),
      )
    return {
      async opened(object, details) {
        if (!actions) return
        await record(null, { ...entry(actions.opened, 'done'), object, details }, false)
        if (!actions.closed) return
        const { closed } = actions
        const began = performance.now()
        const end = () =>
          later({
            ...entry(closed, 'done'),
            object,
            details: { ...details, durationMs: Math.round(performance.now() - began) },
          })
        if (socket.destroyed) end()
        else socket.once('close', end)
      },
      refused(error) {
        if (actions) later(entry(actions.opened, error instanceof KalnetError ? error.code : 'internal'))
      },
    }
  }
}
