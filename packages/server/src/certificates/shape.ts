/** A row of a certificate as the API shows it. */
import { type Certificate, type CertificateState, EXPIRY_ALERT_DAYS } from '@kalnet/contracts/certificate'
import { DAY_MS } from '../core/x509.ts'
import type { CertificateRow } from './store.ts'

export const ALERT_MS = EXPIRY_ALERT_DAYS * DAY_MS

function stateOf(row: CertificateRow, now: number): CertificateState {
  if (row.state !== 'valid' || row.not_after === null) return row.state
  const left = Date.parse(row.not_after) - now
  if (left <= 0) return 'expired'
  return left < ALERT_MS ? 'expiring' : 'valid'
}

export const shapeCertificate = (row: CertificateRow, now: number): Certificate => ({
  id: row.id,
  source: row.source,
  names: row.names,
  state: stateOf(row, now),
  issuer: row.issuer,
  serial: row.serial,
  fingerprint: row.fingerprint,
  keyType: row.key_type,
  notBefore: row.not_before,
  notAfter: row.not_after,
  challenge: row.challenge,
  problem: row.problem,
  step: row.step,
  nextAt: row.next_at,
  createdAt: row.created_at,
  changedAt: row.changed_at,
})
