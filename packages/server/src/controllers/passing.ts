/** Which failures pass by themselves, so that the same is worth another try. */
import { KalnetError } from '@kalnet/contracts/errors'

/** A database that is away or busy: worth another try. Deadlock, serialisation, lock and statement time (PostgreSQL appendix A). */
const PASSING = new Set(['40P01', '40001', '55P03', '57014'])

export const passes = (error: unknown): boolean =>
  error instanceof KalnetError
    ? error.code.startsWith('store.')
    : error instanceof Error && 'code' in error && PASSING.has(String(error.code))
