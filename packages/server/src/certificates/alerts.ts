/** Certificates that are about to end: an event, a line in the log and, where letters can be sent, one to each steward; once for each certificate. */
import { EXPIRY_ALERT_DAYS } from '@kalnet/contracts/certificate'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Mail } from '../core/mail.ts'
import type { Store, Tx } from '../core/store.ts'
import { ALERT_MS } from './shape.ts'
import { type CertificateRow, statements } from './store.ts'

const LOOK_MS = 3_600_000

export interface AlertOptions {
  store: Store
  clock: Clock
  log: Log
  mail: Mail
  changed(tx: Tx, id: string): Promise<void>
}

const letterOf = (row: CertificateRow) => ({
  subject: `The certificate of ${row.names[0] ?? 'a service'} ends soon`,
  text: [
    `The certificate of ${row.names.join(', ')} ends on ${row.not_after?.slice(0, 10)}.`,
    row.source === 'own'
      ? 'It was brought by somebody, so it cannot be renewed by itself: bring a new one under Settings, Certificates.'
      : `Kalnet has tried to renew it. ${row.problem ? `The last answer was: ${row.problem}` : 'It goes on trying.'}`,
    `Without a new one, browsers will refuse these addresses from then on. You get this letter once, when less than ${EXPIRY_ALERT_DAYS} days are left.`,
  ].join('\n\n'),
})

export function createAlerts({ store, clock, log, mail, changed }: AlertOptions) {
  async function write(row: CertificateRow): Promise<void> {
    if (!mail.configured) return
    const { rows } = await store.system.read((tx) =>
      statements.stewards({ organisationId: row.organisation_id }).execute(tx),
    )
    for (const { name, email } of rows)
      await mail.send({ to: { name, address: email }, ...letterOf(row) }).catch(mail.failed)
  }

  /** Marked in the transaction that says it: of two servers one writes the letters. */
  async function look(): Promise<number> {
    const before = new Date(clock.now().getTime() + ALERT_MS).toISOString()
    const rows = await store.system.transaction(async (tx) => {
      const found = (await statements.alert({ before, now: stamp(clock) }).execute(tx)).rows
      for (const row of found) await changed(tx, row.id)
      return found
    })
    for (const row of rows) {
      log.warn(
        { certificateId: row.id, names: row.names, notAfter: row.not_after },
        'a certificate ends soon',
      )
      await write(row)
    }
    return rows.length
  }

  return {
    look,
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await look().catch((error: unknown) =>
          log.debug({ error }, 'nobody could look at the ends of certificates'),
        )
        await clock.sleep(LOOK_MS, signal).catch(() => undefined)
      }
    },
  }
}
