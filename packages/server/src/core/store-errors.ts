/** What a failing database means for people: full, away, or a fault of ours. */
import { fail, KalnetError } from '@kalnet/contracts/errors'

const FULL = new Set(['53100', 'ENOSPC', 'EDQUOT'])
/** Connection refused, lost or not yet accepted; too many; shutting down; starting up (PostgreSQL appendix A, node's errno). */
const AWAY = new Set([
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EACCES',
])
const AWAY_WORDS =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered/i
/** What hangs on an organisation that is not there: PostgreSQL's foreign_key_violation at one of these. */
const HOMELESS = /_organisation_id_fkey$/
const FULL_WORDS = /No space left on device|disk quota exceeded/i

/** The typed error for a failure of the store; anything else comes back as it was. */
export function storeError(error: unknown): unknown {
  if (error instanceof KalnetError || !(error instanceof Error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (FULL.has(code) || FULL_WORDS.test(error.message)) return fail('store.full', {}, error)
  if (AWAY.has(code) || AWAY_WORDS.test(error.message)) return fail('store.unavailable', {}, error)
  // Organisations stay once they are there, so this is the command line before anybody has claimed.
  if (code === '23503' && 'constraint' in error && HOMELESS.test(String(error.constraint)))
    return fail('organisation.unclaimed')
  return error
}

/** Two rows with one key: PostgreSQL's unique_violation, with the constraint's name when asked for. */
export function isDuplicate(error: unknown, constraint?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return false
  return constraint === undefined || ('constraint' in error && error.constraint === constraint)
}
